CREATE AGGREGATE average_precision(relevant boolean) (
    SFUNC = average_precision_accum,
    STYPE = internal,
    FINALFUNC = average_precision_final,
    PARALLEL = SAFE
);
