-- The functions that fit, their arguments and what these mean. Functions with equal arguments must keep them in one order.
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
    expand int DEFAULT 0,
    sample_size int DEFAULT 1000,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    seed int8 DEFAULT 0,
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100
) RETURNS vector
LANGUAGE c STABLE PARALLEL RESTRICTED COST 500000 SUPPORT hinted_exemplar_support
AS 'MODULE_PATHNAME', 'hinted_exemplar_wrapper';
COMMENT ON FUNCTION hinted_exemplar IS
'weight vector of an exemplar SVM with text hints, fitted against rows of a relation; rank by embedding <#> it. Arguments:
  source: the relation that negatives are drawn from, usually the one that is searched
  embedding: its column of embeddings
  exemplar: a row like those that are wanted; a null is an error, left out is none
  hint: the embedding of a text that says what is wanted
  exemplars: several rows like those that are wanted, beside exemplar
  hints: several texts, beside hint; they count as the mean of their directions
  counter_exemplars: rows that are not wanted
  counter_hints: texts of what is not wanted; only what they do not share with the hint is pushed away
  reasons: for each of counter_exemplars the text of why it is not wanted, or null
  neutral_hint: a text that says nothing, such as "a photo."; what other texts share with it is removed
  neutral_hints: several of them, beside neutral_hint; they count as the mean of their directions
  exemplar_weights: how much each of exemplar and exemplars counts; 2 as if given twice, 0 as if left out
  counter_exemplar_weights: the same for counter_exemplars
  expand: fit again with this many of the best rows as light exemplars
  sample_size: how many rows to draw as negatives
  lambda: weight of the size term, above 0; larger stays nearer to the hint, or without one to the mean of the exemplars
  hint_weight: weight of the hint, 0 or more; larger follows it more, 0 ignores it
  counter_hint_weight: weight of counter_hints and reasons, 0 or more; larger pushes them further away
  neutral_fraction: how much of the neutral direction is removed, between 0 and 1
  loss: squared_hinge or logistic
  objective: adaptive, or published with its fixed weights
  seed: another seed draws other negatives
  tol: largest gradient, relative to the weight of the rows, at which the fit is done
  max_iter: most Newton steps';

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
    expand int DEFAULT 0,
    sample_size int DEFAULT 1000,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    seed int8 DEFAULT 0,
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100,
    OUT weights vector,
    OUT bias float8,
    OUT objective_value float8,
    OUT loss_term float8,
    OUT size_term float8,
    OUT hint_term float8,
    OUT cosine_hint float8,
    OUT hint_z float8,
    OUT cosine_counter_hints float8[],
    OUT cosine_exemplars float8[],
    OUT exemplar_margins float8[],
    OUT counter_exemplar_margins float8[],
    OUT conflicts text[],
    OUT suspects int8,
    OUT suspect_tables regclass[],
    OUT suspect_ctids tid[],
    OUT suspect_margins float8[],
    OUT iterations int,
    OUT converged boolean,
    OUT sampled int8,
    OUT skipped int8,
    OUT expanded int,
    OUT sampling_ms float8,
    OUT solving_ms float8
) RETURNS record
LANGUAGE c STABLE PARALLEL RESTRICTED COST 500000
AS 'MODULE_PATHNAME', 'hinted_exemplar_fit_wrapper';
COMMENT ON FUNCTION hinted_exemplar_fit IS
'the fit of hinted_exemplar with the same arguments, explained in one row. Arguments:
  source: the relation that negatives are drawn from, usually the one that is searched
  embedding: its column of embeddings
  exemplar: a row like those that are wanted; a null is an error, left out is none
  hint: the embedding of a text that says what is wanted
  exemplars: several rows like those that are wanted, beside exemplar
  hints: several texts, beside hint; they count as the mean of their directions
  counter_exemplars: rows that are not wanted
  counter_hints: texts of what is not wanted; only what they do not share with the hint is pushed away
  reasons: for each of counter_exemplars the text of why it is not wanted, or null
  neutral_hint: a text that says nothing, such as "a photo."; what other texts share with it is removed
  neutral_hints: several of them, beside neutral_hint; they count as the mean of their directions
  exemplar_weights: how much each of exemplar and exemplars counts; 2 as if given twice, 0 as if left out
  counter_exemplar_weights: the same for counter_exemplars
  expand: fit again with this many of the best rows as light exemplars
  sample_size: how many rows to draw as negatives
  lambda: weight of the size term, above 0; larger stays nearer to the hint, or without one to the mean of the exemplars
  hint_weight: weight of the hint, 0 or more; larger follows it more, 0 ignores it
  counter_hint_weight: weight of counter_hints and reasons, 0 or more; larger pushes them further away
  neutral_fraction: how much of the neutral direction is removed, between 0 and 1
  loss: squared_hinge or logistic
  objective: adaptive, or published with its fixed weights
  seed: another seed draws other negatives
  tol: largest gradient, relative to the weight of the rows, at which the fit is done
  max_iter: most Newton steps
and returns
  weights: what hinted_exemplar returns, of length 1
  bias: b of the margins w.x + b
  objective_value: J, the sum of the three terms
  loss_term: what the rows on the wrong side of their margin cost
  size_term: what the distance from the hint, or without one from 0, costs
  hint_term: what the angle to the hint costs, for objective => published
  cosine_hint: cos(weights, hint); null without a hint
  hint_z: how many standard deviations the exemplars stand above the rows under the hint: 2.5 and more is a good hint, below 1 a wrong one
  cosine_counter_hints: cos(weights, each of counter_hints)
  cosine_exemplars: cos(weights, each exemplar)
  exemplar_margins: w.x + b of each exemplar: 1 or more is well recognised
  counter_exemplar_margins: the same of each counter-exemplar: below 0 is well told apart
  conflicts: examples and hints that contradict each other, in words
  suspects: how many sampled rows score above the lowest exemplar: wanted rows among the negatives, or a vague search
  suspect_tables: the tables of the first 100 suspects, the best first
  suspect_ctids: their ctids
  suspect_margins: their w.x + b
  iterations: Newton steps of the last fit
  converged: whether tol was reached
  sampled: negatives that were fitted against
  skipped: sampled rows that were null, zero or an example
  expanded: rows that expand added
  sampling_ms: milliseconds of drawing the negatives
  solving_ms: milliseconds of everything else';

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
    expand int DEFAULT 0,
    sample_size int DEFAULT 1000,
    lambda float8 DEFAULT 1,
    hint_weight float8 DEFAULT 1,
    counter_hint_weight float8 DEFAULT 1,
    neutral_fraction float8 DEFAULT 0.5,
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    seed int8 DEFAULT 0,
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100
) RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED COST 500000 SUPPORT hinted_exemplar_support
AS 'MODULE_PATHNAME', 'hinted_exemplar_report_wrapper';
COMMENT ON FUNCTION hinted_exemplar_report IS
'the row of hinted_exemplar_fit with the same arguments as one JSON object. Arguments:
  source: the relation that negatives are drawn from, usually the one that is searched
  embedding: its column of embeddings
  exemplar: a row like those that are wanted; a null is an error, left out is none
  hint: the embedding of a text that says what is wanted
  exemplars: several rows like those that are wanted, beside exemplar
  hints: several texts, beside hint; they count as the mean of their directions
  counter_exemplars: rows that are not wanted
  counter_hints: texts of what is not wanted; only what they do not share with the hint is pushed away
  reasons: for each of counter_exemplars the text of why it is not wanted, or null
  neutral_hint: a text that says nothing, such as "a photo."; what other texts share with it is removed
  neutral_hints: several of them, beside neutral_hint; they count as the mean of their directions
  exemplar_weights: how much each of exemplar and exemplars counts; 2 as if given twice, 0 as if left out
  counter_exemplar_weights: the same for counter_exemplars
  expand: fit again with this many of the best rows as light exemplars
  sample_size: how many rows to draw as negatives
  lambda: weight of the size term, above 0; larger stays nearer to the hint, or without one to the mean of the exemplars
  hint_weight: weight of the hint, 0 or more; larger follows it more, 0 ignores it
  counter_hint_weight: weight of counter_hints and reasons, 0 or more; larger pushes them further away
  neutral_fraction: how much of the neutral direction is removed, between 0 and 1
  loss: squared_hinge or logistic
  objective: adaptive, or published with its fixed weights
  seed: another seed draws other negatives
  tol: largest gradient, relative to the weight of the rows, at which the fit is done
  max_iter: most Newton steps';

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
    loss text DEFAULT 'squared_hinge',
    objective text DEFAULT 'adaptive',
    tol float8 DEFAULT 0.000001,
    max_iter int DEFAULT 100
) RETURNS vector
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 500000 SUPPORT hinted_exemplar_support
AS 'MODULE_PATHNAME', 'exemplar_svm_wrapper';
COMMENT ON FUNCTION exemplar_svm IS
'weight vector of an exemplar SVM with text hints, fitted against given negatives. Arguments:
  exemplars: what is wanted
  negatives: what it is told apart from; zero vectors and examples among them are left out
  hints: several texts, beside hint; they count as the mean of their directions
  counter_exemplars: rows that are not wanted
  counter_hints: texts of what is not wanted; only what they do not share with the hint is pushed away
  reasons: for each of counter_exemplars the text of why it is not wanted, or null
  neutral_hints: several of them, beside neutral_hint; they count as the mean of their directions
  exemplar_weights: how much each of exemplar and exemplars counts; 2 as if given twice, 0 as if left out
  counter_exemplar_weights: the same for counter_exemplars
  lambda: weight of the size term, above 0; larger stays nearer to the hint, or without one to the mean of the exemplars
  hint_weight: weight of the hint, 0 or more; larger follows it more, 0 ignores it
  counter_hint_weight: weight of counter_hints and reasons, 0 or more; larger pushes them further away
  neutral_fraction: how much of the neutral direction is removed, between 0 and 1
  loss: squared_hinge or logistic
  objective: adaptive, or published with its fixed weights
  tol: largest gradient, relative to the weight of the rows, at which the fit is done
  max_iter: most Newton steps';
