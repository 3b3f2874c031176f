//! A session that somebody is logged into, and the keys that were found through it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;

use cryptoki::error::Error;
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::Session;

use super::KeyId;

/// More keys than most installations have; those that are used are found anew.
const MOST_FOUND: usize = 1024;

pub(crate) struct Held {
    session: Session,
    /// Looking for a key takes longer than signing with it.
    found: RefCell<HashMap<KeyId, ObjectHandle>>,
}

impl Held {
    pub fn new(session: Session) -> Self {
        Self {
            session,
            found: RefCell::default(),
        }
    }

    /// The key that `template` describes and `id` tells from others.
    pub fn find(&self, id: KeyId, template: &[Attribute]) -> Result<Option<ObjectHandle>, Error> {
        if let Some(known) = self.found.borrow().get(&id) {
            return Ok(Some(*known));
        }
        let found = self.session.find_objects(template)?.first().copied();
        if let Some(found) = found {
            let mut all = self.found.borrow_mut();
            if all.len() >= MOST_FOUND {
                all.clear();
            }
            all.insert(id, found);
        }
        Ok(found)
    }
}

impl Deref for Held {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
