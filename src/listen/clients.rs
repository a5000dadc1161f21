//! Who is served, and who has to make room for the next one. Pure. Nobody ever waits for somebody else: a newcomer is
//! let in, and if that makes too many, one goes who has its answer, else who has been silent longest, else who has been
//! here longest.

use core::net::IpAddr;

/// Clients served at a time. A browser opens six, the two other nodes and a Prometheus one each.
pub const MAX_CLIENTS: usize = 32;
/// Of one address (of one /64 of IPv6, which one machine may have all to itself): a browser and a few scripts.
pub const MAX_OF_ONE: usize = 12;

/// Where a client comes from, as far as that tells two machines apart.
pub fn origin(addr: IpAddr) -> u64 {
    match addr.to_canonical() {
        IpAddr::V4(addr) => u64::from(addr.to_bits()),
        // The upper half: no IPv4 address is as large, for no such network begins with zeros.
        IpAddr::V6(addr) => u64::try_from(addr.to_bits() >> 64).unwrap_or(0),
    }
}

/// One that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// See [`origin`].
    pub origin: u64,
    /// How far it is.
    pub stage: Stage,
}

/// [`Client::stage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its request has not come.
    Silent,
    /// Its answer is being made or sent.
    Served,
    /// All of its answer is sent; what it still sends is read for politeness' sake.
    Answered,
}

/// The place of the one that goes before a client of `origin` comes to `clients`, which are in the order they came.
pub fn makes_room(clients: &[Client], origin: u64) -> Option<usize> {
    let of_one = clients.iter().filter(|client| client.origin == origin).count();
    let leaves = |is_meant: &dyn Fn(&Client) -> bool| {
        let first = |stage| clients.iter().position(|client| is_meant(client) && client.stage == stage);
        first(Stage::Answered).or_else(|| first(Stage::Silent)).or_else(|| first(Stage::Served))
    };
    if of_one >= MAX_OF_ONE {
        leaves(&|client| client.origin == origin)
    } else if clients.len() >= MAX_CLIENTS {
        leaves(&|_| true)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(of: &[(u64, Stage)]) -> Vec<Client> {
        of.iter().map(|&(origin, stage)| Client { origin, stage }).collect()
    }

    #[test]
    fn one_machine_is_one_origin() {
        let of = |text: &str| origin(text.parse().unwrap());
        assert_eq!(of("10.0.10.31"), of("::ffff:10.0.10.31"));
        assert_eq!(of("fd00:10::1"), of("fd00:10::ffff:2"));
        assert_ne!(of("fd00:10::1"), of("fd00:11::1"));
        assert_ne!(of("10.0.10.31"), of("10.0.10.32"));
    }

    #[test]
    fn the_answered_make_room_first_then_the_silent_then_the_oldest() {
        use Stage::{Answered, Served, Silent};
        assert_eq!(makes_room(&[], 1), None);
        assert_eq!(makes_room(&clients(&[(1, Served); 11]), 1), None);
        assert_eq!(makes_room(&clients(&[(1, Served); 12]), 2), None);
        assert_eq!(makes_room(&clients(&[(1, Served); 12]), 1), Some(0));
        let mut of_one = [(1, Served); 13];
        of_one[0] = (2, Silent);
        of_one[5] = (1, Silent);
        assert_eq!(makes_room(&clients(&of_one), 1), Some(5), "another's is not touched");
        of_one[7] = (1, Answered);
        assert_eq!(makes_room(&clients(&of_one), 1), Some(7));
        let mut all: Vec<(u64, Stage)> = (0..32).map(|n| (n / 8, Served)).collect();
        assert_eq!(makes_room(&clients(&all), 9), Some(0));
        all[31].1 = Silent;
        assert_eq!(makes_room(&clients(&all), 9), Some(31));
    }
}
