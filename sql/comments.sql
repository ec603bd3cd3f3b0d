COMMENT ON AGGREGATE average_precision(boolean) IS
    'average precision of a ranking, given whether each row is relevant, ORDER BY distance';
COMMENT ON FUNCTION average_precision_accum IS 'transition function of average_precision';
COMMENT ON FUNCTION average_precision_final IS 'final function of average_precision';
COMMENT ON AGGREGATE exemplar_svm_agg(vector, boolean) IS
    'weight vector of an exemplar SVM over rows: verdict true is wanted, false unwanted, null unjudged; null if nothing can be told apart';
COMMENT ON AGGREGATE exemplar_svm_agg(vector, boolean, vector) IS
    'the same with the embedding of a text that says what is wanted; its first value that is not null counts';
COMMENT ON FUNCTION exemplar_svm_accum(internal, vector, boolean) IS 'transition function of exemplar_svm_agg';
COMMENT ON FUNCTION exemplar_svm_accum(internal, vector, boolean, vector) IS 'transition function of exemplar_svm_agg';
COMMENT ON FUNCTION exemplar_svm_final IS 'final function of exemplar_svm_agg';
COMMENT ON FUNCTION hinted_exemplar_support IS 'planner support: a call that is the same for every row runs once';
COMMENT ON FUNCTION hinted_exemplar_search_support IS 'planner support: a search returns k rows';
COMMENT ON FUNCTION hinted_exemplar_version() IS 'the version of the library; pg_extension.extversion is that of the SQL objects';
