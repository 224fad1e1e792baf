//! Where exchanges go in a run without a screen: standard output and files, each in its format.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use super::AppError;
use super::signals::Headway;
use crate::cli::{Export, Format};
use crate::edge::files::PrivateFile;
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::export::{Item, Writer};

/// Everything that is written to.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    all: Vec<Output>,
    /// Tells a write that never ends, and when it is time to end.
    pub headway: Headway,
}

#[derive(Debug)]
struct Output {
    writer: Writer,
    target: Target,
    items: u64,
    /// A terminal would obey what is written: it is shown escaped.
    escapes: bool,
}

#[derive(Debug)]
enum Target {
    Stdout(BufWriter<File>),
    File(PathBuf, PrivateFile),
}

impl Outputs {
    /// Opens standard output in `stdout`'s format and every file of `exports`.
    pub(super) fn open(
        stdout: Option<Format>,
        exports: &[Export],
        headway: Headway,
    ) -> Result<Self, AppError> {
        let mut all = Vec::new();
        if let Some(format) = stdout {
            // A file of our own, because the standard one flushes at every line.
            let file = io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|reason| AppError::System { what: "cannot use standard output", reason })?;
            let escapes = format == Format::Raw && io::stdout().is_terminal();
            if escapes {
                super::say("escaped for the terminal; --export raw=FILE writes the bytes as they were");
            }
            let target = Target::Stdout(BufWriter::with_capacity(64 << 10, file.into()));
            all.push(Output { writer: Writer::new(format), target, items: 0, escapes });
        }
        for export in exports {
            let Some(path) = &export.file else { continue };
            let file =
                PrivateFile::create(path).map_err(|reason| AppError::Write { path: path.clone(), reason })?;
            let target = Target::File(path.clone(), file);
            all.push(Output { writer: Writer::new(export.format), target, items: 0, escapes: false });
        }
        Ok(Self { all, headway })
    }

    /// Whether nothing is written.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether everything that is written is NDJSON.
    pub(super) fn are_lines(&self) -> bool {
        self.all.iter().all(|output| output.writer.is_json())
    }

    /// Writes lines of NDJSON that are made already, for so many exchanges.
    pub(super) fn write_lines(&mut self, lines: &[Vec<u8>], exchanges: u64) -> Result<(), AppError> {
        for output in &mut self.all {
            output.items += exchanges;
            let target = &mut output.target;
            for lines in lines {
                self.headway.during(|| target.write_all(lines)).map_err(|error| target.failed(error))?;
            }
        }
        Ok(())
    }

    /// Writes an exchange everywhere. What a format cannot express is returned, for standard error.
    pub(super) fn write(&mut self, item: &Item<'_>, redactor: &Redactor) -> Result<Vec<String>, AppError> {
        let mut warnings = Vec::new();
        for output in &mut self.all {
            let Output { writer, target, items, escapes } = output;
            *items += 1;
            let written = self.headway.during(|| {
                if !*escapes {
                    return writer.item(target, item, redactor);
                }
                let mut bytes = Vec::new();
                let warnings = writer.item(&mut bytes, item, redactor)?;
                target.write_all(sanitize::block(&bytes).as_bytes())?;
                Ok(warnings)
            });
            warnings.extend(written.map_err(|error| target.failed(error))?);
        }
        Ok(warnings)
    }

    /// Writes a line of text to standard output, if it is open.
    pub(super) fn line(&mut self, text: &str) -> Result<(), AppError> {
        for output in &mut self.all {
            if let Target::Stdout(out) = &mut output.target {
                let written = self.headway.during(|| out.write_all(text.as_bytes()));
                written.map_err(AppError::Output)?;
            }
        }
        Ok(())
    }

    /// Shows what was written so far to whoever reads along.
    pub(super) fn flush(&mut self) -> Result<(), AppError> {
        for output in &mut self.all {
            let target = &mut output.target;
            self.headway.during(|| target.flush()).map_err(|error| target.failed(error))?;
        }
        Ok(())
    }

    /// Completes everything; says for each file what is in it.
    pub(super) fn finish(self) -> Result<Vec<String>, AppError> {
        let mut said = Vec::new();
        for Output { mut writer, mut target, items, .. } in self.all {
            let ended = self.headway.during(|| writer.end(&mut target).and_then(|()| target.flush()));
            ended.map_err(|error| target.failed(error))?;
            if let Target::File(path, file) = target {
                let name = path.display().to_string();
                file.commit().map_err(|reason| AppError::Unwritten { path, reason })?;
                let s = if items == 1 { "" } else { "s" };
                said.push(format!("{items} exchange{s} written to {name}"));
            }
        }
        Ok(said)
    }
}

impl Target {
    fn failed(&self, reason: io::Error) -> AppError {
        match self {
            Self::Stdout(_) => AppError::Output(reason),
            Self::File(path, _) => AppError::Unwritten { path: path.clone(), reason },
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(_, file) => file.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(_, file) => file.flush(),
        }
    }
}
