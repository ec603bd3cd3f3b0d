COMMENT ON FUNCTION hinted_exemplar IS
    'weight vector of an exemplar SVM with text hint, fitted against rows of a table; rank by embedding <#> it';
COMMENT ON FUNCTION exemplar_svm IS
    'weight vector of an exemplar SVM with text hint, fitted against given negatives';
COMMENT ON AGGREGATE average_precision(boolean) IS
    'average precision of a ranking, given whether each row is relevant, ORDER BY distance';
COMMENT ON FUNCTION average_precision_accum IS 'transition function of average_precision';
COMMENT ON FUNCTION average_precision_final IS 'final function of average_precision';
