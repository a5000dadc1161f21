//! keepalived.conf: its top level. Pure.

use super::context::Context;
use super::instance::{self, Instance};
use super::judge::{judged, overlong, unknown};
use super::sheet::{Lines, Verdict, is_among};
use super::times::{millis, show};
use super::words::Statement;

/// One node's file: its instances, and all statements outside of them.
pub struct Node {
    /// Its virtual routers.
    pub instances: Vec<Instance>,
    /// The rest.
    pub lines: Lines,
}

/// Reads the statements of one node.
pub fn read(node: usize, statements: &[Statement]) -> Node {
    let mut context = Context::default();
    let mut lines = Lines::default();
    for statement in statements {
        match statement.keyword() {
            "vrrp_instance" => {}
            "global_defs" => globals(statement, &mut context, &mut lines),
            "vrrp_script" | "vrrp_track_process" => {
                context.define(statement, &mut lines);
            }
            "vrrp_track_file" | "track_file" => {
                let why = "no priority out of a file: file:PATH asks only whether a file exists";
                lines.add(&statement.at, statement.said(), Verdict::Nothing, why);
            }
            _ => judged(statement, "", &mut lines),
        }
    }
    let mut instances = Vec::new();
    for statement in statements {
        if statement.keyword() == "vrrp_instance" {
            instances.push(instance::read(node, statement, &mut context));
        }
    }
    context.tell_idle(&mut lines);
    Node { instances, lines }
}

fn globals(block: &Statement, context: &mut Context, lines: &mut Lines) {
    lines.same(&block.at, block.said());
    for statement in block.inside() {
        let value = statement.word(1);
        let keyword = statement.keyword();
        if !is_among("vrrp_version vrrp_garp_master_refresh default_interface", keyword) {
            judged(statement, "global_defs", lines);
            continue;
        }
        if statement.words.len() > 2 {
            overlong(statement, lines);
            continue;
        }
        match (keyword, millis(value)) {
            ("vrrp_version", _) if value == "2" || value == "3" => context.version = Some(value),
            ("vrrp_garp_master_refresh", Some(time)) => {
                context.garp_refresh = Some((statement.said(), show(time)));
            }
            ("default_interface", _) => context.default_interface = Some(value),
            _ => {
                unknown(statement, lines);
                continue;
            }
        }
        lines.same(&statement.at, statement.said());
    }
}
