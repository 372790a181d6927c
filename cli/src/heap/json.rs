//! A report for programs: see [`HELP`].

use serde_json::{Value, json};
use starlark::Picture;

use super::holders::{Group, Holder, Owner};
use super::report::{Amount, Report};
use super::watch::Why;
use super::words;

/// What `frazil help report` says.
pub const HELP: &str = "\
What 'frazil heap' writes to PREFIX.json: one object with these fields. Sizes are bytes; an AMOUNT is {objects, bytes}; a
LINE is a place in the list of lines, from 0.

  file             the program
  moment           what was looked at: \"peak\", \"end\", \"allocated\" (so much as was asked for), \"failed\" (the program
                   did), or \"exhausted\" (memory had run out)
  allocated_bytes  what had been allocated by then
  live, dead       AMOUNTs: what could be reached, and what waited to be freed
  headlines        the sentences that a person is told
  lines            [{file, line, function, text}]: of the program; 0 stands for what no line has made
  holders          [{name, who, what, filled_at, holds}], most first: variables and the like, who and what in words; name
                   is null if several hold it together; filled_at is the LINE that put most of it there, or null; holds
                   is a GROUP: {type, line, own, retained, for_instance, parts}: objects of one type and LINE, their
                   AMOUNT, the AMOUNT that would be free without them, a path to one, and the GROUPs they keep alive
  made_at          [{line, live, bytes_at_half, mostly}]: AMOUNTs by LINE, what was alive of it when half as much had
                   been allocated, and the type of most
  types            [{type, live, mutable, frozen, traced}]: AMOUNTs by type, and how many objects may be written, were
                   frozen, or are traced
  blocks           {block_bytes, free_bytes, classes}: classes is [{cell_bytes, blocks, bytes, cells, taken}], cell_bytes
                   null for objects with blocks of their own
  growth           {lines, samples}: samples is [{allocated_bytes, live_bytes}], in order; live_bytes has a number for
                   each LINE in lines, and one for all others

More fields may be added.
";

/// The whole report.
pub fn json(report: &Report) -> Value {
    json!({
        "file": report.file,
        "moment": match report.why {
            Why::Peak => "peak",
            Why::Allocated => "allocated",
            Why::End => "end",
            Why::Failed => "failed",
            Why::Exhausted => "exhausted",
        },
        "allocated_bytes": report.allocated,
        "live": amount(report.live),
        "dead": amount(report.dead),
        "headlines": words::headlines(report),
        "lines": report.lines.iter().map(|line| json!({
            "file": line.file, "line": line.number, "function": line.function, "text": line.text,
        })).collect::<Vec<_>>(),
        "holders": report.holders.iter().map(|of| holder(report, of)).collect::<Vec<_>>(),
        "made_at": report.line_uses.iter().map(|used| json!({
            "line": used.line,
            "live": amount(used.live),
            "bytes_at_half": used.half,
            "mostly": Picture::kind_name(used.kind),
        })).collect::<Vec<_>>(),
        "types": report.kinds.iter().map(|used| json!({
            "type": Picture::kind_name(used.kind),
            "live": amount(used.live),
            "mutable": used.mutable,
            "frozen": used.frozen,
            "traced": used.traced,
        })).collect::<Vec<_>>(),
        "blocks": {
            "block_bytes": report.block_bytes,
            "free_bytes": report.free_bytes,
            "classes": report.classes.iter().map(|class| json!({
                "cell_bytes": if class.cell_bytes > 0 { json!(class.cell_bytes) } else { Value::Null },
                "blocks": class.blocks,
                "bytes": class.bytes,
                "cells": class.cells,
                "taken": amount(class.taken),
            })).collect::<Vec<_>>(),
        },
        "growth": {
            "lines": report.growth.lines,
            "samples": report.growth.samples.iter().map(|(allocated, parts)| json!({
                "allocated_bytes": allocated, "live_bytes": parts,
            })).collect::<Vec<_>>(),
        },
    })
}

fn amount(amount: Amount) -> Value {
    json!({ "objects": amount.objects, "bytes": amount.bytes })
}

fn holder(report: &Report, holder: &Holder) -> Value {
    let name = match &holder.owner {
        Owner::Named(name, _) => Some(name),
        Owner::Several(_) => None,
    };
    json!({
        "name": name,
        "who": words::name(report, holder),
        "what": holder.what,
        "filled_at": holder.filled,
        "holds": group(report, &holder.group),
    })
}

fn group(report: &Report, of: &Group) -> Value {
    json!({
        "type": Picture::kind_name(of.kind),
        "line": of.line,
        "own": amount(of.own),
        "retained": amount(of.retained),
        "for_instance": words::way(report, &of.way),
        "parts": of.parts.iter().map(|part| group(report, part)).collect::<Vec<_>>(),
    })
}
