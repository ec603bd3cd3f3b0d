//! One fit per call site, arguments and snapshot.
//!
//! Postgres evaluates a call in ORDER BY once per row it looks at. Most answers cannot change while the
//! arguments, the user and the snapshot are the same, so a call site keeps the last of them. It may outlive a
//! statement: that of a PL/pgSQL expression lasts as long as the transaction.
//!
//! Arguments are compared twice: as they come, which takes no time beside a row's distance, and where they differ by
//! what they say, since the same vector may come in line or as a pointer to where it is stored.

use pgrx::{PgMemoryContexts, pg_sys};

use crate::cache::repeated;
use crate::postgres::snapshot::SnapshotKey;

/// All that an answer depends on. Two equal keys see the same rows.
#[derive(PartialEq)]
struct Key {
    arguments: Vec<u8>,
    user: pg_sys::Oid,
    snapshot: SnapshotKey,
}

struct Kept {
    key: Key,
    /// The arguments as they came, where these can be compared.
    raw: Option<Vec<Raw<Box<[u8]>>>>,
    weights: Vec<f32>,
}

/// What a call site keeps.
struct Site {
    /// Length and passing by value of each argument's type.
    types: Vec<(i16, bool)>,
    kept: Option<Kept>,
}

/// An argument as it comes.
#[derive(PartialEq)]
enum Raw<B> {
    Null,
    Value(pg_sys::Datum),
    Bytes(B),
}

/// The answer to a call.
pub struct Answer {
    pub weights: Vec<f32>,
    /// Whether arguments, user and snapshot are all that it depends on. Any other is not kept.
    pub keep: bool,
}

/// The call of a function that keeps nothing else in `fn_extra`.
#[derive(Clone, Copy)]
pub struct CallSite(pg_sys::FunctionCallInfo);

impl CallSite {
    /// # Safety
    /// `fcinfo` is the current call of a function that keeps nothing else in `fn_extra`.
    pub unsafe fn of(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        CallSite(fcinfo)
    }

    /// The answer that was given last, if it was to a call that came with the same arguments.
    pub fn again(self) -> Option<Vec<f32>> {
        // SAFETY: a call has its look-up data, and fn_extra is null or was set by `site`.
        let site = unsafe { (*(*self.0).flinfo).fn_extra.cast::<Site>().as_ref() }?;
        let kept = site.kept.as_ref()?;
        let is_same =
            kept.raw.as_ref()?.iter().enumerate().all(|(i, kept)| match (self.raw(site, i), kept) {
                (Some(Raw::Null), Raw::Null) => true,
                (Some(Raw::Value(now)), Raw::Value(before)) => now == *before,
                (Some(Raw::Bytes(now)), Raw::Bytes(before)) => *now == **before,
                _ => false,
            });
        // SAFETY: takes nothing and has a user whenever a query runs.
        let user = || unsafe { pg_sys::GetUserId() };
        let is_same = is_same && kept.key.user == user() && kept.key.snapshot.is_active();
        is_same.then(|| kept.weights.clone())
    }

    /// The answer of `fit` for `arguments`, or the one that this call site gave to an equal call last.
    ///
    /// # Errors
    /// Whatever `fit` fails with; nothing is kept then.
    pub fn fitted_once<E>(
        self,
        arguments: Vec<u8>,
        fit: impl FnOnce() -> Result<Answer, E>,
    ) -> Result<Vec<f32>, E> {
        let Some(snapshot) = SnapshotKey::active() else { return fit().map(|answer| answer.weights) };
        // SAFETY: takes nothing and has a user whenever a query runs.
        let key = Key { arguments, user: unsafe { pg_sys::GetUserId() }, snapshot };
        if let Some(kept) = self.site().kept.as_mut().filter(|kept| kept.key == key) {
            let weights = kept.weights.clone();
            let raw = self.raw_arguments();
            if let Some(kept) = &mut self.site().kept {
                kept.raw = raw;
            }
            return Ok(weights);
        }
        self.site().kept = None;
        let Answer { weights, keep } = fit()?;
        repeated::note(&key.arguments, keep);
        if keep {
            let raw = self.raw_arguments();
            self.site().kept = Some(Kept { key, raw, weights: weights.clone() });
        }
        Ok(weights)
    }

    /// What is kept here, made on the first call, in the memory that lives as long as the look-up data.
    #[expect(clippy::mut_from_ref, reason = "a call site runs one call at a time")]
    fn site(&self) -> &mut Site {
        // SAFETY: a call has its look-up data, and fn_extra is null or was set here. The function exists, and
        // get_func_signature pallocs its argument types.
        unsafe {
            let look_up = &mut *(*self.0).flinfo;
            if look_up.fn_extra.is_null() {
                let (mut oids, mut count) = (std::ptr::null_mut(), 0);
                pg_sys::get_func_signature(look_up.fn_oid, &mut oids, &mut count);
                let of = |i: usize| {
                    let (mut length, mut by_value) = (0, false);
                    pg_sys::get_typlenbyval(*oids.add(i), &mut length, &mut by_value);
                    (length, by_value)
                };
                let site = Site { types: (0..count as usize).map(of).collect(), kept: None };
                let site = PgMemoryContexts::For(look_up.fn_mcxt).leak_and_drop_on_delete(site);
                look_up.fn_extra = site.cast();
            }
            &mut *look_up.fn_extra.cast::<Site>()
        }
    }

    fn raw_arguments(&self) -> Option<Vec<Raw<Box<[u8]>>>> {
        let site = self.site();
        let owned = |raw| match raw {
            Raw::Null => Raw::Null,
            Raw::Value(value) => Raw::Value(value),
            Raw::Bytes(bytes) => Raw::Bytes(<Box<[u8]>>::from(bytes)),
        };
        (0..site.types.len()).map(|i| self.raw(site, i).map(owned)).collect()
    }

    /// An argument as it comes; `None` where equal bytes need not mean equal values.
    fn raw(&self, site: &Site, i: usize) -> Option<Raw<&[u8]>> {
        // SAFETY: the call has as many arguments as its function. One that is not null is as its type says, and lives as
        // long as the call.
        unsafe {
            let argument = (*self.0).args.as_slice((*self.0).nargs as usize).get(i)?;
            if argument.isnull {
                return Some(Raw::Null);
            }
            let (length, by_value) = site.types[i];
            let start = argument.value.cast_mut_ptr::<u8>();
            let size = match length {
                _ if by_value => return Some(Raw::Value(argument.value)),
                -1 => {
                    let varlena = start.cast::<pg_sys::varlena>();
                    // Others point to memory that may change.
                    let is_stored = !pgrx::varatt_is_1b_e(varlena)
                        || pgrx::vartag_1b_e(varlena) == pg_sys::vartag_external::VARTAG_ONDISK as u8;
                    is_stored.then(|| pgrx::varsize_any(varlena))?
                }
                _ => usize::try_from(length).ok()?,
            };
            Some(Raw::Bytes(std::slice::from_raw_parts(start, size)))
        }
    }
}
