//! One HTML file for people. It loads nothing and needs no server.

use std::io::{self, Write};

use crate::report::{Report, Status, Test, kind};
use crate::text::{block, line};

/// The page, with a `{{name}}` for each part that is filled in.
const PAGE: &str = include_str!("page.html");

impl Report {
    /// Writes one self-contained HTML page: the outcome, the counts, and every test, those that
    /// failed first. Its script only searches and filters the tests.
    ///
    /// # Errors
    ///
    /// The writer's own.
    pub fn write_html(&self, mut writer: impl Write) -> io::Result<()> {
        let error = self.run_error();
        let is_success = self.is_success && error.is_none();
        for (number, part) in PAGE.split("{{").enumerate() {
            let (name, rest) = match part.split_once("}}") {
                Some(split) if number > 0 => split,
                _ => ("", part),
            };
            match name {
                "outcome" => write!(writer, "{}", escape(&line(&self.outcome)))?,
                "verdict" => writer.write_all(if is_success { b"pass" } else { b"fail" })?,
                "summary" => write!(writer, "{}", escape(&line(&self.summary())))?,
                "facts" => self.write_facts(&mut writer)?,
                "reason" => {
                    if let Some(reason) = error.as_ref().or(self.reason.as_ref()) {
                        write!(writer, "<pre class=reason>{}</pre>", escape(&block(reason)))?;
                    }
                }
                "filters" => {
                    for (kind, count) in self.listed() {
                        write!(
                            writer,
                            "<button aria-pressed=false data-kind={kind}>{count} {kind}</button>"
                        )?;
                    }
                }
                "tests" => {
                    for test in self.by_status() {
                        write_test(&mut writer, test)?;
                    }
                }
                _ => {}
            }
            writer.write_all(rest.as_bytes())?;
        }
        writer.flush()
    }

    fn write_facts(&self, writer: &mut impl Write) -> io::Result<()> {
        let facts = [
            ("branch", &self.branch),
            ("run", &self.job_name),
            ("test run", &self.test_run_id),
            ("state", &self.state),
        ];
        for (name, value) in facts {
            if let Some(value) = value {
                write!(
                    writer,
                    "<div><dt>{name}</dt><dd>{}</dd></div>",
                    escape(&line(value))
                )?;
            }
        }
        if let Some(url) = self.web_url() {
            write!(
                writer,
                "<div><dt>web app</dt><dd><a href=\"{url}\" rel=noreferrer>open the test run</a></dd></div>"
            )?;
        }
        Ok(())
    }
}

fn write_test(writer: &mut impl Write, test: &Test) -> io::Result<()> {
    let kind = kind(&test.status);
    let shown = match &test.status {
        Status::Other(status) => escape(&line(status)),
        known => known.as_str().to_owned(),
    };
    let name = escape(&test.name());
    write!(
        writer,
        "<li class={kind}><b>{shown}</b><div><span class=name>{name}</span>"
    )?;
    for tag in &test.tags {
        write!(writer, "<i>#{}</i>", escape(&line(tag)))?;
    }
    if let Some(health) = &test.health {
        write!(writer, "<i class=health>{}</i>", escape(&line(health)))?;
    }
    write!(writer, "<small>")?;
    if let Some(file) = &test.file {
        write!(writer, "{} · ", escape(&line(file)))?;
    }
    write!(writer, "{}</small>", escape(&line(&test.id)))?;
    if let Some(error) = &test.error {
        write!(writer, "<pre tabindex=0>{}</pre>", escape(&block(error)))?;
    }
    writeln!(writer, "</div></li>")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}
