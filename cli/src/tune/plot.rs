//! The figures of the report, as drawings.

use std::error::Error;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::sample::Measure;
use super::tell::{Row, seconds};
use crate::page::{Colour, Html};
use crate::stats;

type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// Width and height of a drawing.
const SIZE: (u32, u32) = (560, 380);
/// Height of the letters on axes.
const LETTERS: u32 = 13;

fn colour(colour: Colour) -> RGBColor {
    let (red, green, blue) = colour.light();
    RGBColor(red, green, blue)
}

fn letters<'a>() -> TextStyle<'a> {
    ("sans-serif", LETTERS).into_font().color(&colour(Colour::Ink))
}

/// Draws, or says in the drawing's place why it cannot.
fn drawing(draw: impl FnOnce(&Area<'_>) -> Drawn) -> Html {
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    match drawn {
        Ok(()) => Html::drawing(&svg),
        Err(error) => crate::page::tag("p", format!("this could not be drawn: {error}")),
    }
}

/// A range that holds all `figures`, with some room on both sides.
fn around(figures: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let (low, high) = (figures.clone().fold(f64::MAX, f64::min), figures.fold(0.0, f64::max));
    let room = ((high - low) * 0.08).max(high * 0.01).max(1e-9);
    (low - room).max(0.0)..high + room
}

/// A choice in the scatter.
pub struct Point<'r> {
    /// Its figures.
    pub row: &'r Row,
    /// What it is called, if it is to be found at once.
    pub name: Option<(&'static str, Colour)>,
}

/// Time and peak memory of every choice; those that nothing beats in these two are joined by a line.
pub fn scatter(points: &[Point<'_>]) -> Html {
    drawing(|area| {
        let place = |row: &Row| (row.time, row.peak);
        let across = around(points.iter().map(|point| point.row.time));
        let up = around(points.iter().map(|point| point.row.peak));
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(78)
            .build_cartesian_2d(across.clone(), up)?;
        chart
            .configure_mesh()
            .max_light_lines(0)
            .bold_line_style(colour(Colour::Rule))
            .axis_style(colour(Colour::Faint))
            .label_style(letters())
            .axis_desc_style(letters())
            .x_desc("time")
            .y_desc("peak memory")
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|&time| seconds(time))
            .y_label_formatter(&|&bytes| stats::bytes(bytes as u64))
            .draw()?;
        let steps = steps(points.iter().map(|point| place(point.row)));
        chart.draw_series(LineSeries::new(steps, colour(Colour::Good).stroke_width(2)))?;
        let plain = points.iter().filter(|point| point.name.is_none());
        chart.draw_series(plain.map(|point| {
            let on_front = point.row.front;
            let style = if on_front { Colour::Good } else { Colour::Faint };
            Circle::new(place(point.row), if on_front { 4 } else { 3 }, colour(style).filled())
        }))?;
        for point in points {
            let Some((name, of)) = point.name else { continue };
            let of = colour(of);
            let style = letters().color(&of);
            let right = point.row.time > across.start + (across.end - across.start) * 0.7;
            let shift = if right { -12 - 7 * name.len() as i32 } else { 10 };
            let down = if name == "default" { -18 } else { 6 };
            let mark = EmptyElement::at(place(point.row))
                + Circle::new((0, 0), 6, of.filled())
                + Text::new(name, (shift, down), style);
            chart.draw_series(std::iter::once(mark))?;
        }
        Ok(())
    })
}

/// The points that no other beats in both coordinates, as stairs.
fn steps(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut points: Vec<_> = points.collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut stairs: Vec<(f64, f64)> = Vec::new();
    for (across, up) in points {
        match stairs.last() {
            Some(&(_, last)) if up >= last => {}
            Some(&(_, last)) => stairs.extend([(across, last), (across, up)]),
            None => stairs.push((across, up)),
        }
    }
    stairs
}

/// Some choice's pauses, from the shortest.
pub struct Pauses {
    /// What the choice is called.
    pub name: &'static str,
    /// Its colour.
    pub colour: Colour,
    /// Seconds.
    pub sorted: Vec<f64>,
}

/// How often a microsecond is to be doubled for a pause. Both axes are in doublings.
fn doublings(pause: f64) -> f64 {
    (pause * 1e6).max(1.0).log2()
}

/// How many pauses were at least so long.
pub fn pauses(series: &[Pauses]) -> Html {
    drawing(|area| {
        let all = || series.iter().flat_map(|pauses| pauses.sorted.iter().map(|&pause| doublings(pause)));
        let low = all().reduce(f64::min).unwrap_or(0.0).floor();
        let high = all().fold(low, f64::max).floor() + 1.0;
        let most = series.iter().map(|pauses| pauses.sorted.len()).max().unwrap_or(1).max(2) as f64;
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(78)
            .build_cartesian_2d(low..high, 0.0..most.log2().floor() + 1.0)?;
        chart
            .configure_mesh()
            .max_light_lines(0)
            .bold_line_style(colour(Colour::Rule))
            .axis_style(colour(Colour::Faint))
            .label_style(letters())
            .axis_desc_style(letters())
            .x_desc(Measure::Pause.name().trim_start_matches("longest "))
            .y_desc("pauses at least so long")
            .x_labels(8)
            .y_labels(10)
            .x_label_formatter(&|&pause| seconds(pause.exp2() / 1e6))
            .y_label_formatter(&|&count| format!("{:.0}", count.exp2()))
            .draw()?;
        for (number, pauses) in series.iter().enumerate() {
            let count = pauses.sorted.len();
            let points = pauses.sorted.iter().enumerate();
            let points = points.map(|(at, &pause)| (doublings(pause), ((count - at) as f64).log2()));
            chart.draw_series(LineSeries::new(points, colour(pauses.colour).stroke_width(2)))?;
            let line = 20 + 18 * number as i32;
            let width = SIZE.0 as i32;
            area.draw(&Rectangle::new(
                [(width - 140, line + 2), (width - 128, line + 10)],
                colour(pauses.colour).filled(),
            ))?;
            area.draw(&Text::new(pauses.name, (width - 122, line), letters()))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stairs_go_down_only() {
        let points = [(3.0, 1.0), (1.0, 5.0), (2.0, 6.0), (2.0, 2.0)];
        let stairs = steps(points.into_iter());
        assert_eq!(stairs, [(1.0, 5.0), (2.0, 5.0), (2.0, 2.0), (3.0, 2.0), (3.0, 1.0)]);
    }

    #[test]
    fn drawings_are_made_of_the_palette() {
        let pauses = [Pauses { name: "default", colour: Colour::Accent, sorted: vec![1e-5, 1e-4, 2e-3] }];
        let html = format!("{:?}", super::pauses(&pauses));
        assert!(html.contains("<svg") && html.contains("default"), "{html}");
        assert!(html.contains(r##"stroke=\"#0B6B9E\""##), "{html}");
        assert!(!html.contains("xmlns"), "{html}");
        let nothing = [Pauses { name: "default", colour: Colour::Accent, sorted: Vec::new() }];
        assert!(format!("{:?}", super::pauses(&nothing)).contains("<svg"));
    }
}
