//! Effective priority from the base and the tracked checks, as keepalived computes it (its `weight` semantics).
//!
//! A weight above zero is added while the check is well, one below zero is subtracted while it fails, and a check
//! without weight puts the router in FAULT when it fails. The sum is clamped to 1..=254; a base of 255 (the owner
//! of the address) is left alone by weights.

/// What the checks make of the base priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effective {
    /// The priority to advertise, 1 to 255.
    Priority(u8),
    /// A check without weight failed: no VIP here.
    Fault,
}

/// Weight of a check: `None` for FAULT on failure, else -253 to 253 but 0.
pub type Weight = Option<i16>;

/// The owner of the address: weights do not touch it.
pub const OWNER: u8 = 255;
/// The highest priority of any other router (RFC 9568 section 5.2.4).
pub const HIGHEST: u8 = OWNER - 1;
/// The largest weight, either way: between the lowest priority and [`HIGHEST`].
pub const MAX_WEIGHT: i16 = HIGHEST as i16 - 1;

/// The priority that results from `base` and each check's weight and whether it is well.
pub fn effective(base: u8, checks: impl IntoIterator<Item = (Weight, bool)>) -> Effective {
    let mut sum = i32::from(base);
    for (weight, well) in checks {
        match (weight, well) {
            (None, false) => return Effective::Fault,
            (None, true) => {}
            (Some(weight), true) => sum += i32::from(weight.max(0)),
            (Some(weight), false) => sum += i32::from(weight.min(0)),
        }
    }
    if base == OWNER {
        return Effective::Priority(OWNER);
    }
    Effective::Priority(u8::try_from(sum.clamp(1, HIGHEST.into())).unwrap_or(HIGHEST))
}

#[cfg(test)]
mod tests {
    use super::Effective::{Fault, Priority};
    use super::*;

    const WELL: bool = true;
    const FAILED: bool = false;

    #[test]
    fn the_users_weights_give_keepalived_s_numbers() {
        // 200 + 20 (dockerd) + 10 (traefik), measured with keepalived: 230, 210, 200.
        assert_eq!(effective(200, [(Some(20), WELL), (Some(10), WELL)]), Priority(230));
        assert_eq!(effective(200, [(Some(20), FAILED), (Some(10), WELL)]), Priority(210));
        assert_eq!(effective(200, [(Some(20), FAILED), (Some(10), FAILED)]), Priority(200));
    }

    #[test]
    fn negative_weights_count_only_while_failing() {
        assert_eq!(effective(150, [(Some(-30), WELL)]), Priority(150));
        assert_eq!(effective(150, [(Some(-30), FAILED)]), Priority(120));
    }

    #[test]
    fn the_sum_is_clamped_once_at_the_end() {
        // 250 + 20 - 30 = 240: a clamp after the first step would give 254 - 30 = 224.
        assert_eq!(effective(250, [(Some(20), WELL), (Some(-30), FAILED)]), Priority(240));
        assert_eq!(effective(250, [(Some(20), WELL)]), Priority(254));
        assert_eq!(effective(10, [(Some(-30), FAILED)]), Priority(1));
    }

    #[test]
    fn a_check_without_weight_means_fault() {
        assert_eq!(effective(100, [(None, WELL), (Some(10), WELL)]), Priority(110));
        assert_eq!(effective(100, [(Some(10), WELL), (None, FAILED)]), Fault);
    }

    #[test]
    fn the_owner_ignores_weights_but_not_faults() {
        assert_eq!(effective(255, [(Some(-50), FAILED)]), Priority(255));
        assert_eq!(effective(255, [(None, FAILED)]), Fault);
    }
}
