//! Rate and latency over time, as a picture.

use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ledger::Second;

/// Width and height, pixels.
const SIZE: (u32, u32) = (960, 640);
/// What can be read on light and on dark alike.
const INK: RGBColor = RGBColor(128, 128, 128);
const GRID: RGBAColor = RGBAColor(128, 128, 128, 0.25);
const BLUE: RGBColor = RGBColor(51, 132, 208);
const GREEN: RGBColor = RGBColor(34, 150, 94);
const RED: RGBColor = RGBColor(214, 86, 86);

/// A line of a chart.
struct Curve {
    name: &'static str,
    colour: RGBColor,
    /// `None` where there was nothing to measure.
    value: fn(&Second) -> Option<f64>,
}

const RATES: &[Curve] = &[
    Curve {
        name: "answered",
        colour: BLUE,
        value: |second| Some(second.rate_per_s),
    },
    Curve {
        name: "failed",
        colour: RED,
        value: |second| Some(super::ledger::as_f64(second.failed)),
    },
];

const LATENCIES: &[Curve] = &[
    Curve {
        name: "p50",
        colour: GREEN,
        value: |second| (second.rate_per_s > 0.0).then_some(second.p50_ms),
    },
    Curve {
        name: "p99",
        colour: RED,
        value: |second| (second.rate_per_s > 0.0).then_some(second.p99_ms),
    },
];

/// The picture of a run, SVG, on whatever is behind it. `title` says which run.
pub fn plot(title: &str, timeline: &[Second]) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let (above, below) = root.split_vertically(SIZE.1 / 2);
        chart(&above, title, "exchanges a second", RATES, timeline)?;
        chart(&below, "", "time to the answer, ms", LATENCIES, timeline)?;
        root.present().map_err(drawn)?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn chart(
    area: &Area<'_>,
    title: &str,
    unit: &str,
    curves: &[Curve],
    timeline: &[Second],
) -> anyhow::Result<()> {
    let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
    let end = timeline.last().map_or(1.0, |second| second.t_s).max(1.0);
    let values = timeline
        .iter()
        .flat_map(|second| curves.iter().filter_map(|curve| (curve.value)(second)));
    let top = values.fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area);
    chart.margin(12).x_label_area_size(40).y_label_area_size(64);
    // Room for the names of the lines.
    chart.margin_top(if title.is_empty() { 44 } else { 20 });
    if !title.is_empty() {
        chart.caption(title, text(18));
    }
    let mut chart = chart
        .build_cartesian_2d(0.0..end, 0.0..top)
        .map_err(drawn)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text(12))
        .axis_desc_style(text(13))
        .x_desc("seconds since it began")
        .y_desc(unit)
        .x_label_formatter(&|x| {
            let digits = usize::from(end < 10.0);
            format!("{x:.digits$}")
        })
        .y_label_formatter(&|y| {
            let digits = usize::from(top < 10.0);
            format!("{y:.digits$}")
        })
        .draw()
        .map_err(drawn)?;
    let anchor = Pos::new(HPos::Right, VPos::Top);
    for (n, curve) in (0_i32..).zip(curves) {
        // A value is that of the time since the one before: even a single one is a line.
        let begins = std::iter::once(0.0).chain(timeline.iter().map(|second| second.t_s));
        let values = timeline.iter().map(|second| (curve.value)(second));
        let spans = begins.zip(timeline).zip(values);
        let spans: Vec<_> = spans
            .map(|((begin, second), value)| (begin, second.t_s, value))
            .collect();
        // Where there is no value there is no line.
        for piece in spans.split(|(_, _, value)| value.is_none()) {
            let points = piece.iter().flat_map(|(begin, end, value)| {
                let value = value.unwrap_or_default();
                [(*begin, value), (*end, value)]
            });
            chart
                .draw_series(LineSeries::new(points, curve.colour.stroke_width(2)))
                .map_err(drawn)?;
        }
        // The name of the line, in its colour, above the chart's corner.
        let style = ("sans-serif", 13).into_font().color(&curve.colour);
        let (width, _) = area.dim_in_pixel();
        let right = i32::try_from(width).unwrap_or(i32::MAX) - 24;
        area.draw_text(curve.name, &style.pos(anchor), (right, 10 + 16 * n))
            .map_err(drawn)?;
    }
    Ok(())
}

fn drawn<E>(error: DrawingAreaErrorKind<E>) -> anyhow::Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    anyhow::Error::new(error).context("the plot can't be drawn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_says_what_it_shows_and_in_which_units() {
        let second = |n: u32| Second {
            t_s: f64::from(n),
            rate_per_s: 100.0 + f64::from(n),
            p50_ms: 2.0,
            p99_ms: 9.0,
            failed: 1,
        };
        let timeline: Vec<_> = (1..30).map(second).collect();
        for timeline in [&timeline[..], &timeline[..1], &[]] {
            let lines = if timeline.is_empty() { 0 } else { 4 };
            let svg = plot("launch-day of 100 devices", timeline).unwrap();
            assert!(svg.starts_with("<svg"), "{svg}");
            assert!(svg.trim_end().ends_with("</svg>"), "{svg}");
            // The grid is thinner.
            let drawn = svg.lines().filter(|line| line.contains("<polyline"));
            let drawn = drawn.filter(|line| line.contains("stroke-width=\"2\""));
            let has_points = |line: &&str| line.contains(' ') && !line.contains("points=\"\"");
            assert_eq!(drawn.filter(has_points).count(), lines, "{svg}");
            for words in [
                "launch-day of 100 devices",
                "exchanges a second",
                "time to the answer, ms",
                "seconds since it began",
                "p99",
            ] {
                assert!(svg.contains(words), "{words}: {svg}");
            }
        }
    }
}
