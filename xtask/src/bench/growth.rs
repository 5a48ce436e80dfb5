//! How a cost grows with the size of the work: a table, and a plot with logarithmic axes.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Result, ensure};
use plotters::prelude::*;

use super::{Bench, number};
use crate::root;

/// What is too little to measure counts as this, since logarithmic axes have no zero.
pub(super) const LEAST: f64 = 0.001;

/// The values of several programs at the same sizes.
pub(super) struct Growth {
    /// The title of the plot, and the name of its file.
    pub(super) title: &'static str,
    pub(super) name: &'static str,
    /// What there is this many of, such as `tests`.
    pub(super) of: &'static str,
    /// What the values are, with the unit.
    pub(super) value: &'static str,
    pub(super) sizes: Vec<u64>,
    /// The name of each series, and its value at each size.
    pub(super) series: Vec<(String, Vec<f64>)>,
}

impl Bench {
    /// Returns the table and the link to the plot, which is written unless this is `--check`.
    pub(super) fn growth(&self, growth: &Growth) -> Result<String> {
        let plot = growth.plot()?;
        if !self.check {
            fs::create_dir_all(root().join("benchmarks"))?;
            let file = format!("benchmarks/{}.svg", growth.name);
            fs::write(root().join(file), plot)?;
        }
        let (title, name) = (growth.title, growth.name);
        Ok(format!(
            "{}![{title}](benchmarks/{name}.svg)\n\n",
            growth.table()?
        ))
    }
}

impl Growth {
    /// The last row is the exponent of the growth between the last two sizes: 1 is linear.
    fn table(&self) -> Result<String> {
        let names: Vec<&str> = self.series.iter().map(|(name, _)| name.as_str()).collect();
        let mut table = format!("| {}: {} | {} |\n", self.of, self.value, names.join(" | "));
        writeln!(table, "| ---: |{}", " ---: |".repeat(names.len()))?;
        for (index, size) in self.sizes.iter().enumerate() {
            write!(table, "| {} |", number(*size as f64))?;
            for (_, values) in &self.series {
                write!(table, " {} |", number(values[index]))?;
            }
            table.push('\n');
        }
        if let [.., before, last] = self.sizes[..] {
            let size = (last as f64 / before as f64).ln();
            table += "| exponent of the last step |";
            for (_, values) in &self.series {
                let value = (values[values.len() - 1] / values[values.len() - 2]).ln();
                write!(table, " {:.2} |", value / size)?;
            }
            table.push('\n');
        }
        Ok(table + "\n")
    }

    /// The background is white, so that the plot can be read on a dark page too.
    fn plot(&self) -> Result<String> {
        let values = || {
            self.series
                .iter()
                .flat_map(|(_, values)| values.iter().copied())
        };
        ensure!(
            values().all(|value| value.is_finite() && value > 0.0),
            "a value is not positive"
        );
        let (low, high) = (
            values().fold(f64::MAX, f64::min),
            values().fold(0.0, f64::max),
        );
        let (smallest, largest) = (
            self.sizes[0] as f64,
            self.sizes[self.sizes.len() - 1] as f64,
        );
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (720, 420)).into_drawing_area();
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&area)
                .caption(self.title, ("sans-serif", 20))
                .margin(16)
                .margin_right(48)
                .x_label_area_size(44)
                .y_label_area_size(72)
                .build_cartesian_2d((smallest..largest).log_scale(), (low..high).log_scale())?;
            chart
                .configure_mesh()
                .light_line_style(BLACK.mix(0.06))
                .x_desc(self.of)
                .y_desc(self.value)
                .label_style(("sans-serif", 14))
                .x_label_formatter(&|value| number(*value))
                .y_label_formatter(&|value| number(*value))
                .draw()?;
            for (index, (name, values)) in self.series.iter().enumerate() {
                let colour = Palette99::pick(index).to_rgba();
                let points = || {
                    self.sizes
                        .iter()
                        .map(|size| *size as f64)
                        .zip(values.iter().copied())
                };
                chart
                    .draw_series(LineSeries::new(points(), colour.stroke_width(2)))?
                    .label(name)
                    .legend(move |(x, y)| {
                        PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2))
                    });
                chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .background_style(WHITE)
                .border_style(BLACK.mix(0.2))
                .label_font(("sans-serif", 14))
                .draw()?;
            area.present()?;
        }
        Ok(svg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_plot_show_every_value() {
        let mut growth = Growth {
            title: "Time by size",
            name: "time",
            of: "tests",
            value: "ms",
            sizes: vec![10, 100, 1000],
            series: vec![
                ("linear".to_owned(), vec![1.0, 10.0, 100.0]),
                ("quadratic".to_owned(), vec![1.0, 100.0, 10_000.0]),
            ],
        };
        let table = growth.table().expect("a table");
        assert!(table.contains("| 1,000 | 100 | 10,000 |\n"), "{table}");
        assert!(
            table.ends_with("| exponent of the last step | 1.00 | 2.00 |\n\n"),
            "{table}"
        );
        let plot = growth.plot().expect("a plot");
        assert_eq!(plot.matches("<circle").count(), 6);
        assert!(plot.contains("quadratic"));
        growth.series[0].1[1] = f64::NAN;
        assert!(growth.plot().is_err());
    }
}
