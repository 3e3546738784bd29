//! As whom PostgreSQL runs: it refuses to run as root.

use std::fs;
use std::io;

use crate::process::Account;

/// The accounts that root runs PostgreSQL as, the preferred one first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// No account that PostgreSQL could run as.
#[derive(Debug, thiserror::Error)]
pub enum UserAccountError {
    /// The accounts could not be listed.
    #[error("read the accounts in /etc/passwd, to run PostgreSQL as another user than root")]
    List(#[source] io::Error),
    /// None of the usual accounts exists.
    #[error("find the account 'postgres' or 'nobody', to run PostgreSQL as another user than root")]
    None,
}

/// The account that PostgreSQL must be run as, if it is not our own.
pub(crate) fn for_postgres() -> Result<Option<Account>, UserAccountError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").map_err(UserAccountError::List)?;
    let account = CANDIDATES.iter().find_map(|name| lookup(&passwd, name));
    account.map(Some).ok_or(UserAccountError::None)
}

fn lookup(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (found && uid != 0).then_some(Account { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgresql:x:9:9::/:/bin/sh\n\
                      # comment\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        let account = Account { uid: 101, gid: 104 };
        assert_eq!(lookup(passwd, "postgres"), Some(account));
        assert_eq!(lookup(passwd, "root"), None);
        assert_eq!(lookup(passwd, "nobody"), None);
    }
}
