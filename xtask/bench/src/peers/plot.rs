//! The picture: server CPU a certificate, one bar for each.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::rounds::Work;
use super::{Comparison, NAMES};

const SIZE: (u32, u32) = (900, 420);
/// Of the three, in their order; good on light and on dark.
const COLOURS: [RGBColor; 3] = [
    RGBColor(42, 125, 225),
    RGBColor(224, 138, 46),
    RGBColor(125, 160, 85),
];
const GREY: RGBColor = RGBColor(128, 128, 128);
/// Of the place that one work has.
const BAR: f64 = 0.26;

/// Draws it, as SVG without a background.
pub(super) fn draw(of: &Comparison, path: &Path) -> Result<()> {
    drawn(of, path).map_err(|error| anyhow!("the picture can't be drawn: {error}"))
}

fn drawn(of: &Comparison, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let cpu = of
        .work
        .map(|row| row.map(|medians| medians.map(|it| it.cpu)));
    let most = cpu.iter().flatten().flatten().copied().fold(1.0, f64::max);
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    let label = |size: i32| ("sans-serif", size).into_font().color(&GREY);
    let mut chart = ChartBuilder::on(&area)
        .caption("Server CPU for one certificate, µs", label(18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(55)
        .build_cartesian_2d(0.0..4.0, 0.0..most * 1.12)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .bold_line_style(GREY.mix(0.25))
        .light_line_style(TRANSPARENT)
        .axis_style(GREY)
        .label_style(label(12))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()?;
    for (who, name) in NAMES.iter().enumerate() {
        let style = COLOURS[who].filled();
        let bars = cpu.iter().enumerate().filter_map(|(work, row)| {
            let left = work as f64 + 0.11 + BAR * who as f64;
            let corners = [(left, 0.0), (left + BAR * 0.92, row[who]?)];
            Some(Rectangle::new(corners, style))
        });
        chart
            .draw_series(bars)?
            .label(*name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], style));
    }
    let centred = |size| label(size).pos(Pos::new(HPos::Center, VPos::Bottom));
    let values = cpu.iter().enumerate().flat_map(|(work, row)| {
        row.iter().enumerate().filter_map(move |(who, value)| {
            let middle = work as f64 + 0.11 + BAR * (who as f64 + 0.46);
            Some(((*value)?, middle))
        })
    });
    for (value, middle) in values {
        let text = Text::new(format!("{value:.0}"), (middle, value), centred(12));
        chart.draw_series([text])?;
    }
    let below = |size| label(size).pos(Pos::new(HPos::Center, VPos::Top));
    for (at, work) in Work::ALL.into_iter().enumerate() {
        let place = chart.backend_coord(&(at as f64 + 0.5, 0.0));
        let text = Text::new(work.called(), (place.0, place.1 + 8), below(12));
        area.draw(&text)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font(label(13))
        .draw()?;
    area.present()?;
    Ok(())
}
