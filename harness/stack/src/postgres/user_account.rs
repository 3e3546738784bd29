//! The Unix user that runs PostgreSQL, which refuses to run as root.

use std::fs;
use std::io;

use crate::services::UserAccount;

/// The users that root may run PostgreSQL as, in order of preference.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// A user to run PostgreSQL as could not be found.
#[derive(Debug, thiserror::Error)]
pub enum UserAccountError {
    /// The users could not be listed.
    #[error("read the users in /etc/passwd, because PostgreSQL cannot run as root")]
    List(#[source] io::Error),
    /// None of the candidates exists.
    #[error("find the user 'postgres' or 'nobody', because PostgreSQL cannot run as root")]
    None,
}

/// The user to run PostgreSQL as, if it is not the current user.
pub(crate) fn for_postgres() -> Result<Option<UserAccount>, UserAccountError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").map_err(UserAccountError::List)?;
    let account = CANDIDATES.iter().find_map(|name| lookup(&passwd, name));
    account.map(Some).ok_or(UserAccountError::None)
}

fn lookup(passwd: &str, name: &str) -> Option<UserAccount> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (found && uid != 0).then_some(UserAccount { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_complete_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgresql:x:9:9::/:/bin/sh\n\
                      # comment\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        let account = UserAccount { uid: 101, gid: 104 };
        assert_eq!(lookup(passwd, "postgres"), Some(account));
        assert_eq!(lookup(passwd, "root"), None);
        assert_eq!(lookup(passwd, "nobody"), None);
    }
}
