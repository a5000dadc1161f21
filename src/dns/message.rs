//! Queries and answers on the wire (RFC 1035 section 4), as far as addresses and name servers are asked for. Whatever a
//! server sends is read without loops, without panics and without trust: an answer to another question is none.

use super::{Found, Reply};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a header.
const HEADER: usize = 12;
/// CNAMEs followed from a name to its addresses; common resolvers give up between 8 and 16.
const MAX_CHAIN: usize = 12;
/// Longest name on the wire, its length bytes included (RFC 1035 section 3.1).
const MAX_WIRE: usize = 255;
/// Class IN.
const IN: u16 = 1;
/// Types of records (RFC 1035 section 3.2.2, RFC 3596).
const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const AAAA: u16 = 28;
/// Of a header's second word (RFC 1035 section 4.1.1): it is an answer (QR) …
const QR: u16 = 0x8000;
/// … to a query of this kind, 0 for a plain one …
const OPCODE: u16 = 0x7800;
/// … from the zone itself …
const AUTHORITATIVE: u16 = 0x0400;
/// … cut to fit …
const TRUNCATED: u16 = 0x0200;
/// … and how it went.
const RCODE: u16 = 0x000f;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Name servers.
    Ns,
}

impl Kind {
    const fn code(self) -> u16 {
        match self {
            Self::A => A,
            Self::Ns => NS,
            Self::Aaaa => AAAA,
        }
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// To tell its answer from others.
    pub id: u16,
    /// As [`name`](super::name) makes it.
    pub name: String,
    /// What is asked for.
    pub kind: Kind,
    /// The server is to find out; otherwise it is asked for what it knows itself.
    pub recurse: bool,
}

impl Query {
    /// On the wire, without the length that goes before it over TCP.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.name.len() + 6);
        bytes.extend(self.id.to_be_bytes());
        bytes.extend([u8::from(self.recurse), 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in self.name.split('.') {
            // A name has been looked at: no label is longer than 63.
            bytes.push(u8::try_from(label.len()).unwrap_or_default());
            bytes.extend(label.bytes());
        }
        bytes.push(0);
        bytes.extend(self.kind.code().to_be_bytes());
        bytes.extend(IN.to_be_bytes());
        bytes
    }
}

/// Why bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It may be an answer, but not to this question: wait for another one.
    Foreign,
    /// What is wrong with it.
    Malformed(&'static str),
}

/// An answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// RCODE: 0 is well, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
    pub code: u8,
    /// From the zone itself.
    pub authoritative: bool,
    /// There is more than fits: ask over TCP.
    pub truncated: bool,
    /// What was asked for.
    pub answers: Vec<Record>,
    /// Whose zone it is.
    pub authority: Vec<Record>,
    /// What helps.
    pub additional: Vec<Record>,
}

/// One record of class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose, in lower case without a last dot.
    pub name: String,
    /// Seconds.
    pub ttl: u32,
    /// What.
    pub data: Data,
}

/// [`Record::data`], of the kinds that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A or AAAA.
    Address(IpAddr),
    /// The name is another one's alias.
    Cname(String),
    /// A name server of the zone.
    Ns(String),
    /// How long it is remembered that there is nothing (RFC 2308): the record's last field.
    Soa(u32),
}

impl Answer {
    /// Reads what came for `query`.
    ///
    /// # Errors
    /// [`Wrong`].
    pub fn parse(bytes: &[u8], query: &Query) -> Result<Self, Wrong> {
        let mut reader = Reader { bytes, at: 0 };
        let (id, flags) = (reader.u16()?, reader.u16()?);
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        if id != query.id || flags & (QR | OPCODE) != QR {
            return Err(Wrong::Foreign);
        }
        let (code, truncated) = ((flags & RCODE) as u8, flags & TRUNCATED != 0);
        match counts[0] {
            1 => {
                let (name, kind, class) = (reader.name()?, reader.u16()?, reader.u16()?);
                if name != query.name || kind != query.kind.code() || class != IN {
                    return Err(Wrong::Foreign);
                }
            }
            // Some servers that refuse do not even repeat the question.
            0 if code != 0 => {}
            _ => return Err(Wrong::Foreign),
        }
        let mut answer = Self {
            code,
            authoritative: flags & AUTHORITATIVE != 0,
            truncated,
            answers: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
        };
        let sections = [&mut answer.answers, &mut answer.authority, &mut answer.additional];
        let all = sections.into_iter().zip(&counts[1..]).try_for_each(|(section, count)| {
            (0..*count).try_for_each(|_| {
                section.extend(reader.record()?);
                Ok(())
            })
        });
        match all {
            // It was cut where the room ended.
            Err(_) if truncated => Ok(answer),
            all => all.map(|()| answer),
        }
    }

    /// What it says of the addresses of the query's name, along its aliases.
    pub fn reply(&self, query: &Query) -> Reply {
        match self.code {
            0 => {}
            2 => return Reply::Unwilling("it fails to find out (SERVFAIL)"),
            3 => return Reply::NoName(self.remembered()),
            5 => return Reply::Unwilling("it refuses (REFUSED)"),
            _ => return Reply::Unwilling("it answers with an error"),
        }
        let (mut name, mut ttl) = (query.name.as_str(), u32::MAX);
        for _ in 0..=MAX_CHAIN {
            let here = || self.answers.iter().filter(|record| record.name == name);
            let found: Vec<&Record> =
                here().filter(|record| matches!(record.data, Data::Address(_))).collect();
            if !found.is_empty() {
                let addresses = found.iter().filter_map(|record| match record.data {
                    Data::Address(addr) => Some(addr),
                    Data::Cname(_) | Data::Ns(_) | Data::Soa(_) => None,
                });
                let ttl = found.iter().map(|record| record.ttl).min().unwrap_or_default().min(ttl);
                let addresses = addresses.collect();
                return Reply::Found(Found { addresses, ttl, authoritative: self.authoritative });
            }
            let alias = here().find_map(|record| match &record.data {
                Data::Cname(alias) => Some((alias, record.ttl)),
                Data::Address(_) | Data::Ns(_) | Data::Soa(_) => None,
            });
            let Some((alias, lasts)) = alias else { return Reply::NoAddress };
            (name, ttl) = (alias, ttl.min(lasts));
        }
        Reply::Unwilling("its aliases lead nowhere (a loop of CNAMEs?)")
    }

    /// The name servers it names for the query's name.
    pub fn name_servers(&self, query: &Query) -> impl Iterator<Item = &str> {
        let own = self.answers.iter().filter(|record| record.name == query.name);
        own.filter_map(|record| match &record.data {
            Data::Ns(name) => Some(name.as_str()),
            Data::Address(_) | Data::Cname(_) | Data::Soa(_) => None,
        })
    }

    /// The addresses it adds for a name.
    pub fn added(&self, name: &str) -> impl Iterator<Item = IpAddr> {
        self.additional.iter().filter(move |record| record.name == name).filter_map(|record| {
            match record.data {
                Data::Address(addr) => Some(addr),
                Data::Cname(_) | Data::Ns(_) | Data::Soa(_) => None,
            }
        })
    }

    fn remembered(&self) -> Option<u32> {
        self.authority.iter().find_map(|record| match record.data {
            Data::Soa(least) => Some(record.ttl.min(least)),
            Data::Address(_) | Data::Cname(_) | Data::Ns(_) => None,
        })
    }
}

const SHORT: Wrong = Wrong::Malformed("it breaks off");

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Wrong> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..len)).ok_or(SHORT)?;
        self.at += len;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, Wrong> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Result<u16, Wrong> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32, Wrong> {
        Ok(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// A name, along its pointers: each leads to before the piece it ends, so there are no loops.
    fn name(&mut self) -> Result<String, Wrong> {
        const LONG: Wrong = Wrong::Malformed("a name is too long");
        let mut text = String::new();
        // Where reading goes on behind the name, once a pointer was followed.
        let mut behind = None;
        let (mut start, mut wire) = (self.at, 1);
        loop {
            let len = usize::from(self.u8()?);
            match len {
                0 => break,
                1..=63 => {
                    wire += len + 1;
                    if wire > MAX_WIRE {
                        return Err(LONG);
                    }
                    if !text.is_empty() {
                        text.push('.');
                    }
                    label(self.take(len)?, &mut text);
                }
                0xc0.. => {
                    let to = (len & 0x3f) << 8 | usize::from(self.u8()?);
                    behind.get_or_insert(self.at);
                    if to >= start {
                        return Err(Wrong::Malformed("a name points forward or at itself"));
                    }
                    (start, self.at) = (to, to);
                }
                _ => return Err(Wrong::Malformed("a label of an unknown kind")),
            }
        }
        self.at = behind.unwrap_or(self.at);
        Ok(text)
    }

    /// The next record; nothing if it is of a kind or class that does not matter.
    fn record(&mut self) -> Result<Option<Record>, Wrong> {
        let name = self.name()?;
        let (kind, class, ttl) = (self.u16()?, self.u16()?, self.u32()?);
        let len = usize::from(self.u16()?);
        let end = self.at + len;
        self.bytes.get(self.at..end).ok_or(SHORT)?;
        let data = match (class, kind, len) {
            (IN, A, 4) => {
                let octets: [u8; 4] = self.take(4)?.try_into().map_err(|_| SHORT)?;
                Some(Data::Address(Ipv4Addr::from(octets).into()))
            }
            (IN, AAAA, 16) => {
                let octets: [u8; 16] = self.take(16)?.try_into().map_err(|_| SHORT)?;
                Some(Data::Address(Ipv6Addr::from(octets).into()))
            }
            (IN, A | AAAA, _) => return Err(Wrong::Malformed("an address of the wrong length")),
            (IN, NS, _) => Some(Data::Ns(self.name()?)),
            (IN, CNAME, _) => Some(Data::Cname(self.name()?)),
            (IN, SOA, _) => {
                self.name()?;
                self.name()?;
                self.take(16)?;
                Some(Data::Soa(self.u32()?))
            }
            _ => None,
        };
        if data.is_some() && self.at != end {
            return Err(Wrong::Malformed("a record is longer or shorter than it says"));
        }
        self.at = end;
        // RFC 2181 section 8: a TTL with its highest bit set is none.
        let ttl = if ttl > i32::MAX.cast_unsigned() { 0 } else { ttl };
        Ok(data.map(|data| Record { name, ttl, data }))
    }
}

/// As text, in lower case; what is no plain character as in zone files (RFC 1035 section 5.1).
fn label(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        match byte {
            b'.' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b'!'..=b'~' => text.push(char::from(byte.to_ascii_lowercase())),
            _ => {
                text.push('\\');
                text.extend([byte / 100, byte / 10 % 10, byte % 10].map(|digit| char::from(b'0' + digit)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
