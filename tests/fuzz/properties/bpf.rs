//! Classic BPF as the kernel runs it, made here anew: for what must hold of our filters.

use unsinkable::bpf::{Instruction, NET_OFFSET};

/// What the program says of `packet`, which the socket sees from `start` on: to be passed? A load beyond the end drops.
pub fn passes(program: &[Instruction], packet: &[u8], start: usize) -> bool {
    let (mut at, mut a, mut x) = (0_usize, 0_u32, 0_u32);
    let load = |offset: u32, len: usize| -> Option<u32> {
        let from =
            if offset >= NET_OFFSET { (offset - NET_OFFSET) as usize } else { start + offset as usize };
        let bytes = packet.get(from..from.checked_add(len)?)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    };
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let loaded = match code {
            0x20 => load(k, 4),
            0x28 => load(k, 2),
            0x30 => load(k, 1),
            0x40 => load(x.wrapping_add(k), 4),
            0x50 => load(x.wrapping_add(k), 1),
            _ => Some(a),
        };
        let Some(loaded) = loaded else { return false };
        a = loaded;
        match code {
            0x20 | 0x28 | 0x30 | 0x40 | 0x50 => {}
            0x01 => x = k,
            0x04 => a = a.wrapping_add(k),
            0x05 => at += k as usize,
            0x06 => return k != 0,
            0x07 => x = a,
            0x0c => a = a.wrapping_add(x),
            0x14 => a = a.wrapping_sub(k),
            0x15 => at += usize::from(if a == k { jt } else { jf }),
            0x3d => at += usize::from(if a >= x { jt } else { jf }),
            0x64 => a <<= k,
            0x80 => a = u32::try_from(packet.len() - start).expect("a packet is short"),
            0x87 => a = x,
            0xb1 => match load(k, 1) {
                Some(byte) => x = (byte & 15) << 2,
                None => return false,
            },
            other => panic!("instruction {other:#x} is not known here"),
        }
    }
}
