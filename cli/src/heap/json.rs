//! A report for programs. Bytes are bytes; a line is named by its place in `lines`.

use serde_json::{Value, json};
use starlark::Picture;

use super::holders::{Group, Holder, Owner};
use super::report::{Amount, Report};
use super::watch::Why;
use super::words;

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
