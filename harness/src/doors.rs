//! Doors: where a system under test is, and the keys to it, whoever started it.

use url::Url;

use crate::secret::Secret;
use crate::stack::{ProcessCard, StackCard};
use crate::standin::StandinCard;

/// Where a system under test is, and the keys to it. What a target does not give is not there.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    /// The origin of the API.
    pub(crate) api: Url,
    /// How tenants come by their tokens.
    pub(crate) identity: IdentityDoor,
    /// The address of the database.
    pub(crate) database: Option<Secret>,
    /// The objects.
    pub(crate) storage: Option<StorageDoor>,
    /// The stand-ins of its providers.
    pub(crate) standins: Option<StandinCard>,
    /// The static secret of callbacks, where there is one.
    pub(crate) callback_token: Option<Secret>,
    /// The processes whose logs can be read.
    pub(crate) processes: Vec<ProcessCard>,
    /// Every secret that is known of it, with what it is called.
    pub(crate) secrets: Vec<(&'static str, Secret)>,
}

/// How tenants come by their tokens.
#[derive(Clone, Debug)]
pub(crate) enum IdentityDoor {
    /// We sign them as the identity provider does: any number of tenants.
    Minted {
        /// The HS256 secret of the tokens.
        secret: Secret,
        /// Who issues them.
        issuer: String,
        /// For whom they are.
        audience: String,
    },
    /// They were given to us.
    Given(Vec<Secret>),
    /// Accounts log in at Supabase Auth.
    Login {
        /// The project.
        supabase: Url,
        /// Its public key.
        anon_key: Secret,
        /// Address and password of each account.
        accounts: Vec<(String, Secret)>,
    },
}

/// The objects of a Supabase project.
#[derive(Clone, Debug)]
pub(crate) struct StorageDoor {
    /// The project.
    pub(crate) supabase: Url,
    /// The key with which the service reads them.
    pub(crate) service_key: Secret,
}

/// A stack of our own gives everything.
impl From<&StackCard> for Doors {
    fn from(card: &StackCard) -> Self {
        let supabase = &card.supabase;
        let secrets = card.named_secrets();
        Self {
            api: card.api_url.clone(),
            identity: IdentityDoor::Minted {
                secret: supabase.jwt_secret.clone(),
                issuer: supabase.issuer.clone(),
                audience: supabase.audience.clone(),
            },
            database: Some(card.database.url.clone()),
            storage: Some(StorageDoor {
                supabase: supabase.url.clone(),
                service_key: supabase.service_role_key.clone(),
            }),
            standins: Some(card.standins.clone()),
            callback_token: Some(card.callback_secret.clone()),
            processes: std::iter::once(&card.api)
                .chain(&card.workers)
                .cloned()
                .collect(),
            secrets: secrets
                .map(|(name, secret)| (name, secret.clone()))
                .collect(),
        }
    }
}
