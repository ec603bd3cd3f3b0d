-- The functions that fit. docs/reference.md says what each argument means. Functions with equal arguments must keep them in one order.
-- A call with the defaults takes as long as the planner expects of half a million operators, measured; hence its COST.

CREATE FUNCTION hinted_exemplar (
    source regclass,
    embedding name,
    exemplar vector DEFAULT '[0]',
    hint vector DEFAULT NULL,
    exemplars vector[] DEFAULT NULL,
    hints vector[] DEFAULT NULL,
    counter_exemplars vector[] DEFAULT NULL,
    counter_hints vector[] DEFAULT NULL,
    reasons vector[] DEFAULT NULL,
    neutral_hint vector DEFAULT NULL,
    neutral_hints vector[] DEFAULT NULL,
    exemplar_weights float8[] DEFAULT NULL,
    counter_exemplar_weights float8[] DEFAULT NULL,
    expand bigint DEFAULT 0,
    sample_size bigint DEFAULT 1000,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    expected_share float8 DEFAULT NULL,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    seed int8 DEFAULT 0,
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100,
    source_filter text DEFAULT NULL
) RETURNS vector
LANGUAGE c STABLE PARALLEL RESTRICTED COST 500000 SUPPORT hinted_exemplar_support
AS 'MODULE_PATHNAME', 'hinted_exemplar_wrapper';
COMMENT ON FUNCTION hinted_exemplar IS 'weight vector of an exemplar SVM with text hints, fitted against rows of a relation; rank by embedding <#> it';

CREATE TYPE exemplar_fit AS (
    weights vector,
    bias float8,
    scale float8,
    objective_value float8,
    loss_term float8,
    regularization_term float8,
    hint_term float8,
    cosine_hint float8,
    hint_z float8,
    hint_trust float8,
    wanted_share float8,
    cosine_counter_hints float8[],
    cosine_exemplars float8[],
    exemplar_margins float8[],
    counter_exemplar_margins float8[],
    conflicts text[],
    conflict_count int8,
    false_negatives int8,
    false_negative_tables regclass[],
    false_negative_ctids tid[],
    false_negative_margins float8[],
    iterations int,
    converged boolean,
    sampled int8,
    skipped int8,
    length_spread float8,
    expanded int,
    sampling_ms float8,
    solving_ms float8
);
COMMENT ON TYPE exemplar_fit IS 'a fit of hinted_exemplar, explained';
COMMENT ON COLUMN exemplar_fit.weights IS 'what hinted_exemplar returns, of length 1';
COMMENT ON COLUMN exemplar_fit.bias IS 'of the margins, which are above 0 for what is taken to be wanted';
COMMENT ON COLUMN exemplar_fit.scale IS 'length of w: the margin of a row x is scale * (weights . x / |x|) + bias';
COMMENT ON COLUMN exemplar_fit.objective_value IS 'J, the sum of the three terms';
COMMENT ON COLUMN exemplar_fit.loss_term IS 'what the rows on the wrong side of their margin cost';
COMMENT ON COLUMN exemplar_fit.regularization_term IS 'what the distance of w from the regularization centre (the hint''s direction, or 0) costs';
COMMENT ON COLUMN exemplar_fit.hint_term IS 'what the angle to the hint costs, for objective => cosine';
COMMENT ON COLUMN exemplar_fit.cosine_hint IS 'cos(weights, hint); null without a hint';
COMMENT ON COLUMN exemplar_fit.hint_z IS 'how many standard deviations the exemplars stand above the rows under the hint, without rows that look wanted: 2 and more is a good hint, below 1 a wrong one';
COMMENT ON COLUMN exemplar_fit.hint_trust IS 'how far the hint is trusted, 0.05 to 1; null without exemplars or hint';
COMMENT ON COLUMN exemplar_fit.wanted_share IS 'what share of the rows the fit takes for wanted, roughly; expected_share where that was given';
COMMENT ON COLUMN exemplar_fit.cosine_counter_hints IS 'cos(weights, each of counter_hints)';
COMMENT ON COLUMN exemplar_fit.cosine_exemplars IS 'cos(weights, each exemplar)';
COMMENT ON COLUMN exemplar_fit.exemplar_margins IS 'margin of each exemplar: about 1 is usual, below 0.5 is hardly recognised';
COMMENT ON COLUMN exemplar_fit.counter_exemplar_margins IS 'the same of each counter-exemplar: below 0 is well told apart';
COMMENT ON COLUMN exemplar_fit.conflicts IS 'examples and hints that contradict each other, in words; the first 100';
COMMENT ON COLUMN exemplar_fit.conflict_count IS 'how many there are; exemplars beyond the first 200 are not compared with each other';
COMMENT ON COLUMN exemplar_fit.false_negatives IS 'how many sampled rows score above the lowest exemplar: likely false negatives, or a vague search';
COMMENT ON COLUMN exemplar_fit.false_negative_tables IS 'the tables of the first 100 of them, the best first';
COMMENT ON COLUMN exemplar_fit.false_negative_ctids IS 'their ctids';
COMMENT ON COLUMN exemplar_fit.false_negative_margins IS 'their margins';
COMMENT ON COLUMN exemplar_fit.iterations IS 'Newton steps of the last fit';
COMMENT ON COLUMN exemplar_fit.converged IS 'whether tol was reached';
COMMENT ON COLUMN exemplar_fit.sampled IS 'negatives that were fitted against';
COMMENT ON COLUMN exemplar_fit.skipped IS 'sampled rows that were null, zero, an example or of other dimensions';
COMMENT ON COLUMN exemplar_fit.length_spread IS 'how many times the shortest sampled row the longest is: above 1.02, rank by cosine';
COMMENT ON COLUMN exemplar_fit.expanded IS 'rows that expand added';
COMMENT ON COLUMN exemplar_fit.sampling_ms IS 'milliseconds of drawing the negatives';
COMMENT ON COLUMN exemplar_fit.solving_ms IS 'milliseconds of everything else';

CREATE FUNCTION hinted_exemplar_fit (
    source regclass,
    embedding name,
    exemplar vector DEFAULT '[0]',
    hint vector DEFAULT NULL,
    exemplars vector[] DEFAULT NULL,
    hints vector[] DEFAULT NULL,
    counter_exemplars vector[] DEFAULT NULL,
    counter_hints vector[] DEFAULT NULL,
    reasons vector[] DEFAULT NULL,
    neutral_hint vector DEFAULT NULL,
    neutral_hints vector[] DEFAULT NULL,
    exemplar_weights float8[] DEFAULT NULL,
    counter_exemplar_weights float8[] DEFAULT NULL,
    expand bigint DEFAULT 0,
    sample_size bigint DEFAULT 1000,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    expected_share float8 DEFAULT NULL,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    seed int8 DEFAULT 0,
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100,
    source_filter text DEFAULT NULL
) RETURNS exemplar_fit
LANGUAGE c STABLE PARALLEL RESTRICTED COST 500000 SUPPORT hinted_exemplar_support
AS 'MODULE_PATHNAME', 'hinted_exemplar_fit_wrapper';
COMMENT ON FUNCTION hinted_exemplar_fit IS 'the fit of hinted_exemplar, explained in one row';

CREATE FUNCTION hinted_exemplar_report (
    source regclass,
    embedding name,
    exemplar vector DEFAULT '[0]',
    hint vector DEFAULT NULL,
    exemplars vector[] DEFAULT NULL,
    hints vector[] DEFAULT NULL,
    counter_exemplars vector[] DEFAULT NULL,
    counter_hints vector[] DEFAULT NULL,
    reasons vector[] DEFAULT NULL,
    neutral_hint vector DEFAULT NULL,
    neutral_hints vector[] DEFAULT NULL,
    exemplar_weights float8[] DEFAULT NULL,
    counter_exemplar_weights float8[] DEFAULT NULL,
    expand bigint DEFAULT 0,
    sample_size bigint DEFAULT 1000,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    expected_share float8 DEFAULT NULL,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    seed int8 DEFAULT 0,
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100,
    source_filter text DEFAULT NULL
) RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED COST 500000 SUPPORT hinted_exemplar_support
AS 'MODULE_PATHNAME', 'hinted_exemplar_report_wrapper';
COMMENT ON FUNCTION hinted_exemplar_report IS 'the row of hinted_exemplar_fit as one JSON object';

CREATE FUNCTION hinted_exemplar_search (
    source regclass,
    embedding name,
    exemplar vector DEFAULT '[0]',
    hint vector DEFAULT NULL,
    exemplars vector[] DEFAULT NULL,
    hints vector[] DEFAULT NULL,
    counter_exemplars vector[] DEFAULT NULL,
    counter_hints vector[] DEFAULT NULL,
    reasons vector[] DEFAULT NULL,
    neutral_hint vector DEFAULT NULL,
    neutral_hints vector[] DEFAULT NULL,
    exemplar_weights float8[] DEFAULT NULL,
    counter_exemplar_weights float8[] DEFAULT NULL,
    expand bigint DEFAULT 0,
    sample_size bigint DEFAULT 1000,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    expected_share float8 DEFAULT NULL,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    seed int8 DEFAULT 0,
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100,
    source_filter text DEFAULT NULL,
    k bigint DEFAULT 20,
    filter text DEFAULT NULL,
    key text DEFAULT NULL,
    weights vector DEFAULT NULL,
    scale float8 DEFAULT NULL,
    bias float8 DEFAULT NULL,
    diversity float8 DEFAULT 0,
    OUT tableoid oid,
    OUT ctid tid,
    OUT key text,
    OUT distance float8,
    OUT margin float8,
    OUT recall float8,
    OUT metric text
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 20 SUPPORT hinted_exemplar_search_support
AS 'MODULE_PATHNAME', 'hinted_exemplar_search_wrapper';
COMMENT ON FUNCTION hinted_exemplar_search IS 'the rows nearest to hinted_exemplar with the same arguments, none missed for want of a good start';

CREATE FUNCTION exemplar_svm (
    exemplars vector[],
    negatives vector[],
    hints vector[] DEFAULT NULL,
    counter_exemplars vector[] DEFAULT NULL,
    counter_hints vector[] DEFAULT NULL,
    reasons vector[] DEFAULT NULL,
    neutral_hints vector[] DEFAULT NULL,
    exemplar_weights float8[] DEFAULT NULL,
    counter_exemplar_weights float8[] DEFAULT NULL,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    expected_share float8 DEFAULT NULL,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100
) RETURNS vector
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 500000 SUPPORT hinted_exemplar_support
AS 'MODULE_PATHNAME', 'exemplar_svm_wrapper';
COMMENT ON FUNCTION exemplar_svm IS 'weight vector of an exemplar SVM with text hints, fitted against given negatives';
