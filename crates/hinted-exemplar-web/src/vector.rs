//! Arithmetic on the few vectors of a page.

/// Inner product.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// What pgvector's `vector_send` writes: the dimensions, an unused number, then the values, all big-endian.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<f32>> {
    let (head, values) = bytes.split_at_checked(4)?;
    let dimensions = usize::from(u16::from_be_bytes([head[0], head[1]]));
    let value = |bytes: &[u8]| f32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    (values.len() == dimensions * 4).then(|| values.chunks_exact(4).map(value).collect())
}

/// The vector at length 1; a zero vector stays as it is.
pub fn unit(vector: &[f32]) -> Vec<f32> {
    let length = dot(vector, vector).sqrt();
    if length == 0.0 {
        vector.to_vec()
    } else {
        vector.iter().map(|&v| (f64::from(v) / length) as f32).collect()
    }
}

/// The mean of vectors of equal dimensions, each counting so much; empty without any.
pub fn mean<'a>(vectors: impl IntoIterator<Item = (&'a [f32], f64)>) -> Vec<f32> {
    let (mut sum, mut weights) = (Vec::new(), 0.0);
    for (vector, weight) in vectors {
        sum.resize(vector.len(), 0.0);
        for (sum, &value) in sum.iter_mut().zip(vector) {
            *sum += weight * f64::from(value);
        }
        weights += weight;
    }
    sum.into_iter().map(|sum| (sum / weights) as f32).collect()
}

/// `a - b`.
pub fn minus(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read() {
        assert_eq!(from_bytes(&[0, 2, 0, 0, 0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0]), Some(vec![1.0, -0.5]));
        assert_eq!(from_bytes(&[0, 2, 0, 0, 0x3f, 0x80, 0, 0]), None);
        assert_eq!(from_bytes(&[]), None);
    }

    #[test]
    fn means_are_weighted() {
        assert_eq!(mean([(&[1.0, 0.0][..], 1.0), (&[0.0, 1.0][..], 3.0)]), [0.25, 0.75]);
        assert!(mean([]).is_empty());
        assert_eq!(unit(&[3.0, 4.0]), [0.6, 0.8]);
        assert_eq!(unit(&[0.0]), [0.0]);
        assert_eq!(minus(&[1.0], &[0.5]), [0.5]);
    }
}
