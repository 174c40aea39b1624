//! A partition's digest: the sum of its wallets' digests modulo 2^256.

/// A 256-bit number that wraps around, so that a wallet's old digest can be taken out and its new one put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum([u64; 4]);

impl Sum {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        let word = |at: usize| u64::from_be_bytes(bytes[at * 8..at * 8 + 8].try_into().expect("eight bytes"));
        Self([word(3), word(2), word(1), word(0)])
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (at, word) in self.0.iter().rev().enumerate() {
            bytes[at * 8..at * 8 + 8].copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    pub(crate) fn add(&mut self, digest: [u8; 32]) {
        let mut carry = false;
        for (word, other) in self.0.iter_mut().zip(Self::from_bytes(digest).0) {
            let (sum, over) = word.overflowing_add(other);
            let (sum, more) = sum.overflowing_add(u64::from(carry));
            (*word, carry) = (sum, over || more);
        }
    }

    pub(crate) fn take(&mut self, digest: [u8; 32]) {
        let mut borrow = false;
        for (word, other) in self.0.iter_mut().zip(Self::from_bytes(digest).0) {
            let (rest, under) = word.overflowing_sub(other);
            let (rest, more) = rest.overflowing_sub(u64::from(borrow));
            (*word, borrow) = (rest, under || more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_can_be_taken_out_in_any_order() {
        let (all, one) = ([0xff; 32], {
            let mut one = [0; 32];
            one[31] = 1;
            one
        });
        let mut sum = Sum::default();
        sum.add(all);
        sum.add(one);
        assert_eq!(sum.to_bytes(), [0; 32], "it wraps around");
        sum.add([7; 32]);
        sum.take(all);
        sum.take(one);
        assert_eq!(sum.to_bytes(), [7; 32]);
    }
}
