CREATE FUNCTION exemplar_svm_accum(internal, vector, boolean) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'exemplar_svm_accum_wrapper';
CREATE FUNCTION exemplar_svm_accum(internal, vector, boolean, vector) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'exemplar_svm_accum_wrapper';
CREATE FUNCTION exemplar_svm_final(internal) RETURNS vector
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 500000
AS 'MODULE_PATHNAME', 'exemplar_svm_final_wrapper';

CREATE AGGREGATE exemplar_svm_agg(embedding vector, verdict boolean) (
    SFUNC = exemplar_svm_accum,
    STYPE = internal,
    FINALFUNC = exemplar_svm_final,
    PARALLEL = SAFE
);
CREATE AGGREGATE exemplar_svm_agg(embedding vector, verdict boolean, hint vector) (
    SFUNC = exemplar_svm_accum,
    STYPE = internal,
    FINALFUNC = exemplar_svm_final,
    PARALLEL = SAFE
);
