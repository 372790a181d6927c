//! What was alive over time, as areas that stand on each other: a leak is a wedge.

use std::error::Error;

use plotters::prelude::*;

use crate::page::{Colour, Html, tag};
use crate::stats::bytes;

use super::report::Report;

/// Width and height of the drawing.
const SIZE: (u32, u32) = (1080, 360);
/// Height of the letters on axes.
const LETTERS: u32 = 13;

/// The colours of the lines, most first.
const COLOURS: [Colour; 6] =
    [Colour::Accent, Colour::Ochre, Colour::Violet, Colour::Good, Colour::Bad, Colour::Faint];

/// The colours of so many lines, then that of all others.
pub fn colours(lines: usize) -> impl Iterator<Item = Colour> {
    COLOURS.into_iter().take(lines).chain([Colour::Rule])
}

fn colour(colour: Colour) -> RGBColor {
    let (red, green, blue) = colour.light();
    RGBColor(red, green, blue)
}

/// The drawing.
pub fn curve(report: &Report) -> Html {
    let mut svg = String::new();
    match draw(report, &mut svg) {
        Ok(()) => Html::drawing(&svg),
        Err(error) => tag("p", format!("this could not be drawn: {error}")),
    }
}

fn draw(report: &Report, svg: &mut String) -> Result<(), Box<dyn Error>> {
    let samples = &report.growth.samples;
    let across = samples.last().map_or(1, |sample| sample.0).max(1) as f64;
    let most = samples.iter().map(|(_, parts)| parts.iter().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..across, 0.0..most * 1.06)?;
    let letters = ("sans-serif", LETTERS).into_font().color(&colour(Colour::Ink));
    chart
        .configure_mesh()
        .max_light_lines(0)
        .disable_x_mesh()
        .bold_line_style(colour(Colour::Rule))
        .axis_style(colour(Colour::Faint))
        .label_style(letters.clone())
        .axis_desc_style(letters)
        .x_desc("allocated")
        .y_desc("alive")
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|&count| bytes(count as u64))
        .y_label_formatter(&|&count| bytes(count as u64))
        .draw()?;
    // The line with most lies at the bottom; each area is drawn over the one that it stands on.
    let shades: Vec<Colour> = colours(report.growth.lines.len()).collect();
    for (part, &shade) in shades.iter().enumerate().rev() {
        let top = samples.iter().map(|(at, bytes)| (*at as f64, bytes[..=part].iter().sum::<u64>() as f64));
        let mut outline = vec![(samples.first().map_or(0.0, |first| first.0 as f64), 0.0)];
        outline.extend(top);
        outline.push((across, 0.0));
        chart.draw_series(std::iter::once(Polygon::new(outline, colour(shade).filled())))?;
    }
    area.present()?;
    Ok(())
}
