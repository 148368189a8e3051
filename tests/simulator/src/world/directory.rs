//! Users and groups of a tenant, with the order in which they changed, for delta queries.

use crate::chance::Seed;
use crate::people::Person;
use crate::places;
use crate::story::Tenant;

const DAY_MS: i64 = 86_400_000;

/// How a user relates to the on-premises directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Synced,
    Former,
    Cloud,
}

/// Where an object is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Present,
    SoftDeleted { at: i64 },
    Gone,
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) index: u32,
    pub(crate) person: Person,
    pub(crate) upn: String,
    pub(crate) ad_domain: String,
    /// Where it lies in its domain; see [`crate::places`].
    pub(crate) place: usize,
    pub(crate) sync: Sync,
    pub(crate) cloud_managed: bool,
    pub(crate) conflict: bool,
    pub(crate) created: i64,
    pub(crate) last_sync: i64,
    pub(crate) password_changed: i64,
    pub(crate) life: Life,
    pub(crate) changed: u64,
    /// Value of the change counter when it came, or came back.
    pub(crate) came: u64,
    /// The same when it was moved last.
    pub(crate) moved: u64,
    /// The same when its source of authority moved.
    pub(crate) left: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) ad_domain: String,
    pub(crate) sid: String,
    pub(crate) created: i64,
    pub(crate) last_sync: i64,
    pub(crate) members: Vec<u32>,
    pub(crate) life: Life,
    pub(crate) changed: u64,
}

/// All objects of a tenant.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<Group>,
    /// Counts changes; a delta token is a value of this counter.
    pub(crate) clock: u64,
}

impl Directory {
    pub(crate) fn new(seed: Seed, tenant: &Tenant, origin: i64) -> Self {
        let ad_domains = ad_domains(tenant);
        let users = (0..tenant.directory.users)
            .map(|index| new_user(seed, tenant, &ad_domains, origin, index))
            .collect();
        let groups = (0..tenant.directory.groups)
            .map(|n| new_group(seed, tenant, &ad_domains, origin, n))
            .collect();
        Self {
            users,
            groups,
            clock: 0,
        }
    }

    /// A user whose turn it is to change, among those still synchronised.
    pub(crate) fn pick(&self, draw: Seed) -> Option<u32> {
        let count = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
        let first = u32::try_from(draw.below(u64::from(count))).unwrap_or(0);
        (0..count).map(|step| (first + step) % count).find(|index| {
            let user = &self.users[*index as usize];
            user.life == Life::Present && user.sync == Sync::Synced
        })
    }

    /// Records a synchronised change of a user.
    pub(crate) fn touch(&mut self, index: u32, at: i64, password: bool) {
        self.clock += 1;
        let clock = self.clock;
        if let Some(user) = self.users.get_mut(index as usize) {
            user.last_sync = user.last_sync.max(at);
            user.changed = clock;
            if password {
                user.password_changed = at;
            }
        }
    }

    /// Deletes users that are still there, restorable or for good.
    pub(crate) fn delete(&mut self, draw: Seed, count: u32, at: i64, hard: bool) -> Vec<u32> {
        let mut gone = Vec::new();
        for n in 0..count {
            let Some(index) = self.pick(draw.nth(u64::from(n))) else {
                break;
            };
            self.clock += 1;
            let user = &mut self.users[index as usize];
            user.life = if hard {
                Life::Gone
            } else {
                Life::SoftDeleted { at }
            };
            user.changed = self.clock;
            gone.push(index);
        }
        gone
    }

    /// Moves the source of authority of users to the cloud.
    pub(crate) fn cloud_manage(&mut self, draw: Seed, count: u32) -> Vec<u32> {
        let mut moved = Vec::new();
        for n in 0..count {
            let Some(index) = self.pick(draw.nth(u64::from(n))) else {
                break;
            };
            self.clock += 1;
            let user = &mut self.users[index as usize];
            user.sync = Sync::Cloud;
            user.cloud_managed = true;
            user.changed = self.clock;
            user.left = self.clock;
            moved.push(index);
        }
        moved
    }

    /// Moves users to another container.
    pub(crate) fn relocate(&mut self, draw: Seed, count: u32, at: i64) -> Vec<u32> {
        let mut moved = Vec::new();
        for n in 0..count {
            let own = draw.nth(u64::from(n));
            let Some(index) = self.pick(own) else {
                break;
            };
            self.touch(index, at, false);
            let user = &mut self.users[index as usize];
            user.place = places::other(user.place, own.corner("to"));
            user.moved = self.clock;
            moved.push(index);
        }
        moved
    }

    /// Brings deleted users back, as long as they can be.
    pub(crate) fn restore(&mut self, count: u32) -> Vec<u32> {
        let deleted = |user: &&mut User| matches!(user.life, Life::SoftDeleted { .. });
        let users = self.users.iter_mut().filter(deleted);
        let mut back = Vec::new();
        for user in users.take(usize::try_from(count).unwrap_or(usize::MAX)) {
            self.clock += 1;
            user.life = Life::Present;
            user.changed = self.clock;
            user.came = self.clock;
            back.push(user.index);
        }
        back
    }

    /// New users come.
    pub(crate) fn hire(&mut self, seed: Seed, tenant: &Tenant, count: u32, at: i64) -> Vec<u32> {
        let ad_domains = ad_domains(tenant);
        let mut came = Vec::new();
        for _ in 0..count {
            let Ok(index) = u32::try_from(self.users.len()) else {
                break;
            };
            self.clock += 1;
            let mut user = new_user(seed, tenant, &ad_domains, at, index);
            (user.created, user.last_sync) = (at, at);
            (user.changed, user.came) = (self.clock, self.clock);
            self.users.push(user);
            came.push(index);
        }
        came
    }

    /// A deletion becomes final after 30 days.
    pub(crate) fn expire_deleted(&mut self, now: i64) {
        for user in &mut self.users {
            if let Life::SoftDeleted { at } = user.life
                && now - at >= 30 * DAY_MS
            {
                self.clock += 1;
                user.life = Life::Gone;
                user.changed = self.clock;
            }
        }
    }
}

fn ad_domains(tenant: &Tenant) -> Vec<&str> {
    let configurations = tenant.configurations.iter();
    configurations.map(|c| c.domain.as_str()).collect()
}

fn new_user(seed: Seed, tenant: &Tenant, ad_domains: &[&str], origin: i64, index: u32) -> User {
    let own = seed.corner("user").nth(u64::from(index));
    let person = Person::nth(seed, index);
    let shares = &tenant.directory;
    let sync = if own.corner("cloud").happens(shares.cloud_share) || tenant.cloud_only {
        Sync::Cloud
    } else if own.corner("former").happens(shares.former_share) {
        Sync::Former
    } else {
        Sync::Synced
    };
    let mail_domain = own.corner("mail").pick(
        &tenant
            .domains
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    let ad_domain = if ad_domains.is_empty() {
        mail_domain
    } else {
        own.corner("ad").pick(ad_domains)
    };
    User {
        index,
        upn: format!("{}@{mail_domain}", person.mailbox),
        ad_domain: ad_domain.to_owned(),
        sync,
        cloud_managed: false,
        conflict: sync == Sync::Synced && own.corner("conflict").happens(shares.error_share),
        created: origin - 200 * DAY_MS - own.corner("created").upto(900 * DAY_MS),
        last_sync: origin - own.corner("last sync").upto(20 * DAY_MS),
        password_changed: origin - own.corner("password").upto(80 * DAY_MS),
        life: Life::Present,
        changed: 0,
        came: 0,
        moved: 0,
        left: 0,
        place: person.place,
        person,
    }
}

fn new_group(seed: Seed, tenant: &Tenant, ad_domains: &[&str], origin: i64, n: u32) -> Group {
    const NAMES: [&str; 6] = [
        "SG-Einkauf",
        "SG-Werk",
        "DL-Standort",
        "SG-VPN",
        "SG-Lizenz",
        "DL-Projekt",
    ];
    let own = seed.corner("group").nth(u64::from(n));
    let ad_domain = if ad_domains.is_empty() {
        "example"
    } else {
        own.corner("ad").pick(ad_domains)
    };
    let members = (0..own.corner("size").below(30))
        .map(|m| {
            u32::try_from(
                own.corner("member")
                    .nth(m)
                    .below(u64::from(tenant.directory.users)),
            )
            .unwrap_or(0)
        })
        .collect();
    Group {
        id: own.guid(),
        name: format!("{}-{n}", own.corner("name").pick(&NAMES)),
        ad_domain: ad_domain.to_owned(),
        sid: format!(
            "S-1-5-21-{}-{}-{}-{}",
            own.below(2_000_000_000),
            own.nth(1).below(2_000_000_000),
            own.nth(2).below(2_000_000_000),
            2000 + n
        ),
        created: origin - 400 * DAY_MS,
        last_sync: origin - own.corner("last sync").upto(20 * DAY_MS),
        members,
        life: Life::Present,
        changed: 0,
    }
}
