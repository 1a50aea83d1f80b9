//! `cargo xtask kubernetes-tables`: what is checked in of Kubernetes' own knowledge.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::control_plane_tools::{Module, Tools};
use crate::guarded::Guarded;
use crate::report::Tally;
use crate::{builtin_schemas, e2e, process, wire_fields, workspace};

/// Take tables from Kubernetes anew: field order, types of the built-in kinds, protobuf numbers (10 s).
///
/// They come from the Go module in e2e/control-plane and a control plane that is started for it. Run this after a
/// change of the Kubernetes version there, and commit what it writes.
#[derive(Args)]
pub(crate) struct KubernetesTables {
    /// Change nothing; fail when a table is not what would be written.
    #[arg(long)]
    check: bool,
}

impl KubernetesTables {
    pub(crate) fn run(self) -> Result<ExitCode> {
        for table in Table::all()? {
            if self.check {
                table.must_be_checked_in()?;
            } else {
                table.write()?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

pub(crate) fn check(tally: &mut Tally) -> Result<()> {
    for table in Table::all()? {
        match table.must_be_checked_in() {
            Ok(()) => tally.pass(),
            Err(error) => tally.fail(error.to_string()),
        }
    }
    Ok(())
}

struct Table {
    file: &'static str,
    text: String,
}

impl Table {
    fn all() -> Result<[Self; 3]> {
        let tools = Tools::ready()?;
        let mut fields = Command::new(&tools.template_oracle);
        fields.arg("fields");
        let mut guarded = Guarded::named("tables")?;
        guarded.start(&tools.beside(e2e::build_kubelets()?))?;
        Ok([
            Self { file: "crds/src/template/go_fields.json", text: process::answer_of(fields)? + "\n" },
            Self { file: "sandbox/src/api/wire_fields.json", text: wire_fields::table(&Module::read()?)? },
            Self {
                file: "sandbox/src/schema/builtin.json",
                text: builtin_schemas::table(&tools.kubectl, &guarded.instance.kubeconfig())?,
            },
        ])
    }

    fn must_be_checked_in(&self) -> Result<()> {
        if std::fs::read_to_string(workspace::root().join(self.file)).is_ok_and(|text| text == self.text) {
            return Ok(());
        }
        bail!("{} is not what Kubernetes says; run: cargo xtask kubernetes-tables", self.file)
    }

    fn write(&self) -> Result<()> {
        let changes = self.must_be_checked_in().is_err();
        std::fs::write(workspace::root().join(self.file), &self.text)
            .with_context(|| format!("writing {}", self.file))?;
        println!("{} {}", if changes { "wrote" } else { "as it was:" }, self.file);
        Ok(())
    }
}
