//! One router's virtual addresses, and what the vrrp thread wishes of them: one number that the vip thread reads at
//! once.
//!
//! A wish instead of a queue of orders: a vip thread that was held up sees the newest wish, never an old one, and
//! nothing can overflow.

use core::net::IpAddr;

/// Virtual addresses one router carries: an IPv6 advert of 16 is 264 bytes, far below any MTU.
pub const MAX_VIPS: usize = 16;
/// A virtual address with its prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vip {
    /// The address itself.
    pub addr: IpAddr,
    /// Prefix length in bits: 0 to 32, or 0 to 128.
    pub prefix: u8,
}

/// The addresses of one router.
pub type Vips = heapless::Vec<Vip, MAX_VIPS>;

/// The addresses of one router, as they should be. The counts only say "once more": they wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The addresses belong on the interface.
    pub hold: bool,
    /// Renew the lease once more.
    pub renewals: u16,
    /// Announce once more.
    pub announcements: u16,
    /// Ask once more who has the addresses.
    pub probes: u8,
}

impl Wish {
    /// As one number, so that it is stored and read at once.
    pub fn pack(self) -> u64 {
        u64::from(self.renewals)
            | u64::from(self.announcements) << 16
            | u64::from(self.probes) << 32
            | u64::from(self.hold) << 40
    }

    /// The reverse of [`pack`](Self::pack).
    pub fn unpack(bits: u64) -> Self {
        let [r0, r1, a0, a1, probes, hold, ..] = bits.to_le_bytes();
        Self {
            hold: hold != 0,
            renewals: u16::from_le_bytes([r0, r1]),
            announcements: u16::from_le_bytes([a0, a1]),
            probes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_survives_packing() {
        let wish = Wish { hold: true, renewals: 0x1234, announcements: 0xfedc, probes: 0xa5 };
        assert_eq!(wish.pack(), 0x01a5_fedc_1234);
        assert_eq!(Wish::unpack(0x01a5_fedc_1234), wish);
        assert_eq!(Wish::unpack(0), Wish::default());
    }
}
