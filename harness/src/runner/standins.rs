//! Who serves the stand-ins of a target that somebody else runs: others, or this run.

use std::path::{Path, PathBuf};

use crate::contract::Contract;
use crate::stack::{Reach, StandinHost, sweep};
use crate::standin::{Presence, must_be_free};
use crate::target::Target;

/// Who serves the stand-ins of a target.
#[derive(Debug)]
pub(crate) enum Hosting {
    /// The target has none of ours.
    Nobody,
    /// They are there already, and stay.
    Others,
    /// This run, until it ends.
    Us(Box<StandinHost>),
}

impl Hosting {
    /// Looks whether the stand-ins are there; where they are not, prepares to serve them.
    ///
    /// What a killed run left of its own is removed first: it has the ports, and may have other keys.
    ///
    /// # Errors
    /// Where they are not there and cannot be served: without keys, on a port that is taken.
    pub(crate) async fn of(
        target: &Target,
        contract: &Contract,
        program: &Path,
    ) -> anyhow::Result<Self> {
        let Some(at) = &target.standins else {
            return Ok(Self::Nobody);
        };
        let serving = target.serving()?;
        if serving.is_some() {
            sweep(&std::env::temp_dir(), Reach::Abandoned).await?;
        }
        let card = at.card();
        if Presence::of(&card).await? == Presence::Served {
            return Ok(Self::Others);
        }
        let Some(serving) = serving else {
            anyhow::bail!(
                "target '{}': nobody serves the stand-ins whose control should be at {}; serve them, or give \
                 [standins.keys], with which cutover does",
                target.name,
                card.control
            );
        };
        must_be_free(&card, serving.bind())?;
        let settings = serving.settings(contract, PathBuf::new())?;
        Ok(Self::Us(Box::new(StandinHost::new(program, settings))))
    }

    /// The stand-ins that are ours to start and end.
    pub(crate) fn host(self) -> Option<StandinHost> {
        match self {
            Self::Nobody | Self::Others => None,
            Self::Us(host) => Some(*host),
        }
    }
}
