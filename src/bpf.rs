//! Classic BPF: the small programs the kernel runs on each packet before it wakes anyone (`SO_ATTACH_FILTER`).
//!
//! Pure and shared, as `time` is: `vrrp::filter` and `vip::announce` write programs, `sys` attaches them.

/// One instruction, as `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions to skip where a comparison holds.
    pub jt: u8,
    /// Instructions to skip where it does not.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// Added to an offset: count from the network header, on a socket that sees only what follows it.
pub const NET_OFFSET: u32 = 0xfff0_0000;

const PASS_WHOLE: u32 = u32::MAX;

const fn plain(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

/// A = the byte at `offset`.
pub const fn load_byte(offset: u32) -> Instruction {
    plain(0x30, offset)
}

/// A = the 16 bits at `offset`, big endian.
pub const fn load_half(offset: u32) -> Instruction {
    plain(0x28, offset)
}

/// A = the 32 bits at `offset`, big endian.
pub const fn load_word(offset: u32) -> Instruction {
    plain(0x20, offset)
}

/// A = the byte at X + `offset`.
pub const fn load_byte_indexed(offset: u32) -> Instruction {
    plain(0x50, offset)
}

/// A = the 32 bits at X + `offset`, big endian.
pub const fn load_word_indexed(offset: u32) -> Instruction {
    plain(0x40, offset)
}

/// X = four times the lower half of the byte at `offset`: the length of the IPv4 header that begins there.
pub const fn load_header_length(offset: u32) -> Instruction {
    plain(0xb1, offset)
}

/// X = `k`.
pub const fn set_x(k: u32) -> Instruction {
    plain(0x01, k)
}

/// A = A << `k`.
pub const fn shift_left(k: u32) -> Instruction {
    plain(0x64, k)
}

/// A = the packet's length.
pub const fn load_length() -> Instruction {
    plain(0x80, 0)
}

/// A = A + `k`.
pub const fn add(k: u32) -> Instruction {
    plain(0x04, k)
}

/// A = A - `k`.
pub const fn subtract(k: u32) -> Instruction {
    plain(0x14, k)
}

/// A = A + X.
pub const fn add_x() -> Instruction {
    plain(0x0c, 0)
}

/// X = A.
pub const fn copy_to_x() -> Instruction {
    plain(0x07, 0)
}

/// A = X.
pub const fn copy_from_x() -> Instruction {
    plain(0x87, 0)
}

/// Skips `jt` instructions where A is at least X, else `jf`.
pub const fn jump_at_least_x(jt: u8, jf: u8) -> Instruction {
    Instruction { code: 0x3d, jt, jf, k: 0 }
}

/// Skips `jt` instructions where A = `k`, else `jf`.
pub const fn jump_equal(k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code: 0x15, jt, jf, k }
}

/// Skips `k` instructions.
pub const fn jump(k: u32) -> Instruction {
    plain(0x05, k)
}

/// The packet passes, whole.
pub const fn pass() -> Instruction {
    plain(0x06, PASS_WHOLE)
}

/// The packet is dropped.
pub const fn drop() -> Instruction {
    plain(0x06, 0)
}

/// Runs a program as the kernel does; true where the packet passes. `network` is where the network header begins in
/// `packet`, `start` what the socket sees as offset 0.
#[cfg(test)]
pub(crate) fn run(program: &[Instruction], packet: &[u8], network: usize, start: usize) -> bool {
    let read = |offset: u32, size: usize| -> Option<u32> {
        let at = if offset >= NET_OFFSET {
            network + usize::try_from(offset - NET_OFFSET).unwrap()
        } else {
            start + usize::try_from(offset).unwrap()
        };
        Some(packet.get(at..at + size)?.iter().fold(0, |value, &byte| value << 8 | u32::from(byte)))
    };
    let (mut a, mut x, mut pc) = (0_u32, 0_u32, 0_usize);
    loop {
        let Instruction { code, jt, jf, k } = program[pc];
        pc += 1;
        let size = match code {
            0x20 | 0x40 => 4,
            0x28 => 2,
            _ => 1,
        };
        match code {
            // A load beyond the packet ends the program: dropped.
            0x20 | 0x28 | 0x30 => match read(k, size) {
                Some(value) => a = value,
                None => return false,
            },
            0x40 | 0x50 => match read(x + k, size) {
                Some(value) => a = value,
                None => return false,
            },
            0xb1 => match read(k, 1) {
                Some(value) => x = (value & 0x0f) * 4,
                None => return false,
            },
            0x80 => a = u32::try_from(packet.len() - start).unwrap(),
            0x04 => a = a.wrapping_add(k),
            0x14 => a = a.wrapping_sub(k),
            0x87 => a = x,
            0x3d => pc += usize::from(if a >= x { jt } else { jf }),
            0x01 => x = k,
            0x64 => a <<= k,
            0x0c => a = a.wrapping_add(x),
            0x07 => x = a,
            0x05 => pc += usize::try_from(k).unwrap(),
            0x15 => pc += usize::from(if a == k { jt } else { jf }),
            0x06 => return k != 0,
            _ => panic!("unknown instruction {code:#x}"),
        }
    }
}
