//! Where objects lie in the scopes of both engines, and who owns them: the product's way beside one
//! pass of memchr over the same bytes, and beside suffix checks.

mod names;

use std::hint::black_box;
use std::time::Instant;

use allocation_counter::{measure, opt_out};
use anyhow::ensure;
use syncwatch_domain::dn;
use syncwatch_domain::owner::{ObjectType, Owner};
use syncwatch_domain::scope::filter::Attributes;
use syncwatch_domain::scope::site::{Configuration, Site};

use self::names::{Names, configuration};
use crate::report::{Report, short};
use crate::stats::{median, number};

/// At most so many passes of memchr where objects share parents.
const SHARED_GOAL: f64 = 5.0;
/// At most so many where every object has a parent of its own.
const DISTINCT_GOAL: f64 = 20.0;
/// At least so many times as fast as suffix checks.
const NAIVE_GOAL: f64 = 15.0;
/// At most this share of the bytes of the names.
const HEAP_GOAL: f64 = 1.0 / 50.0;
/// At most so many microseconds for one changed object.
const OBJECT_GOAL: f64 = 5.0;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Objects.
    pub objects: usize,
    /// Rounds; every contender runs once in each.
    pub rounds: usize,
    /// Too small to judge speed.
    pub smoke: bool,
}

impl Sizes {
    /// The sizes the goals speak of.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            objects: 1_000_000,
            rounds: 7,
            smoke: false,
        }
    }

    /// Everything once, as small as it can be.
    #[must_use]
    pub const fn smoke() -> Self {
        Self {
            objects: 5_000,
            rounds: 1,
            smoke: true,
        }
    }
}

/// Seconds of each way, one figure per round.
#[derive(Default)]
struct Times {
    memchr: Vec<f64>,
    product: Vec<f64>,
    naive: Vec<f64>,
}

/// Measures everything.
///
/// # Errors
/// When a name cannot be read, contenders disagree, or a goal is missed.
pub fn run(sizes: Sizes) -> anyhow::Result<()> {
    let mut report = Report::open("owners: objects in the scopes of two engines", sizes.smoke);
    let site = Site::new(configuration());
    ensure!(site.bad_names().is_empty(), "{:?}", site.bad_names());
    report.say(format!(
        "{} objects, 250 names of containers on either side, one thread, {} rounds in turn. Names differ in case and\n\
         escapes; a tenth of the containers have letters beyond ASCII or hexadecimal escapes. A pass of memchr looks for\n\
         a byte that is not there; suffix checks bring each name into its one spelling and compare it with every container.\n",
        sizes.objects, sizes.rounds
    ));
    let mut table = vec![
        [
            "parents",
            "memchr ms",
            "syncwatch ms",
            "passes",
            "suffix checks ms",
            "times as fast",
            "heap KiB",
            "heap, share of names",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut ratios = Vec::new();
    for (what, distinct) in [("shared", false), ("all distinct", true)] {
        let names = Names::new(sizes.objects, distinct);
        let times = times(&site, &names, sizes.rounds, distinct)?;
        let heap = measure(|| {
            black_box(in_scope(&site, &names));
        });
        let share = number(heap.bytes_max) / number(names.bytes.len() as u64);
        let passes = ratio(&times.product, &times.memchr);
        let faster = ratio(&times.naive, &times.product);
        table.push(vec![
            what.to_owned(),
            short(median(&times.memchr) * 1e3),
            short(median(&times.product) * 1e3),
            short(passes),
            short(median(&times.naive) * 1e3),
            short(faster),
            short(number(heap.bytes_max) / 1024.0),
            short(share),
        ]);
        ratios.push((passes, faster, share));
    }
    report.table(&table);
    report.say("");
    let [(shared, faster, heap), (distinct, _, distinct_heap)] = ratios[..] else {
        anyhow::bail!("two rows were measured");
    };
    report.at_most("passes of memchr, parents shared", shared, SHARED_GOAL);
    report.at_most(
        "passes of memchr, parents distinct",
        distinct,
        DISTINCT_GOAL,
    );
    report.at_least(
        "times as fast as suffix checks, parents shared",
        faster,
        NAIVE_GOAL,
    );
    report.at_most(
        "heap, share of the names' bytes",
        heap.max(distinct_heap),
        HEAP_GOAL,
    );
    changes(&mut report, &site, sizes)?;
    report.close()
}

/// The median of the ratios of paired rounds.
fn ratio(one: &[f64], other: &[f64]) -> f64 {
    let ratios: Vec<f64> = one
        .iter()
        .zip(other)
        .map(|(one, other)| one / other)
        .collect();
    median(&ratios)
}

fn times(site: &Site, names: &Names, rounds: usize, distinct: bool) -> anyhow::Result<Times> {
    let naive = Naive::new(&configuration());
    let mut times = Times::default();
    let mut found = [0, 0];
    for round in 0..rounds {
        opt_out(|| {
            let started = Instant::now();
            black_box(memchr::memchr(0, names.bytes.as_bytes()));
            times.memchr.push(started.elapsed().as_secs_f64());
            let started = Instant::now();
            found[0] = in_scope(site, names);
            times.product.push(started.elapsed().as_secs_f64());
            // The slowest way is told from few rounds as well.
            if round < 3 {
                let started = Instant::now();
                found[1] = names.iter().filter(|name| naive.is_in(name)).count();
                times.naive.push(started.elapsed().as_secs_f64());
            }
        });
    }
    ensure!(
        found[0] == found[1] && found[0] > 0,
        "{} objects in scope, suffix checks say {} (distinct: {distinct})",
        found[0],
        found[1]
    );
    Ok(times)
}

/// Objects that any engine has in scope; a name that cannot be read is in none.
fn in_scope(site: &Site, names: &Names) -> usize {
    let mut places = site.places();
    names
        .iter()
        .filter(|name| places.find(name).is_ok_and(|place| site.is_named(place)))
        .count()
}

/// Every container on either side, longest first, with whether it is in.
struct Naive {
    connect: Vec<(String, bool)>,
    cloud: Vec<(String, bool)>,
}

impl Naive {
    fn new(configuration: &Configuration) -> Self {
        let ready = |names: Vec<(&String, bool)>| {
            let mut names: Vec<(String, bool)> = names
                .into_iter()
                .filter_map(|(name, included)| Some((dn::canonical(name).ok()?, included)))
                .collect();
            names.sort_by_key(|(name, included)| (std::cmp::Reverse(name.len()), *included));
            names
        };
        let connect = configuration
            .connect
            .iter()
            .flat_map(|connect| &connect.connectors);
        let scopes = connect
            .flat_map(|connector| &connector.partitions)
            .filter_map(|partition| partition.scope.as_ref());
        let cloud = configuration
            .cloud
            .iter()
            .filter_map(|cloud| cloud.scope.as_ref());
        Self {
            connect: ready(
                scopes
                    .flat_map(|scope| {
                        let included = scope.included.iter().map(|name| (name, true));
                        included.chain(scope.excluded.iter().map(|name| (name, false)))
                    })
                    .collect(),
            ),
            cloud: ready(
                cloud
                    .flat_map(|scope| &scope.rules)
                    .flat_map(|rule| rule.containers.iter().map(|name| (name, true)))
                    .collect(),
            ),
        }
    }

    fn is_in(&self, name: &str) -> bool {
        let Ok(name) = dn::canonical(name) else {
            return false;
        };
        let decided = |names: &[(String, bool)]| {
            let nearest = names.iter().find(|(container, _)| {
                name.strip_suffix(container.as_str()).is_some_and(|above| {
                    above.is_empty() || (above.ends_with(',') && !above.ends_with("\\,"))
                })
            });
            nearest.is_some_and(|(_, included)| *included)
        };
        // Both engines are asked, as the product does.
        let (connect, cloud) = (decided(&self.connect), decided(&self.cloud));
        connect || cloud
    }
}

/// An object of which the name alone is known.
struct Named<'a>(&'a str);

impl Attributes for Named<'_> {
    fn values(&self, attribute: &str) -> Option<Vec<&str>> {
        attribute.eq_ignore_ascii_case("dn").then(|| vec![self.0])
    }

    fn is_member(&self, _group: &str) -> Option<bool> {
        None
    }
}

/// What one changed object and one changed scope cost.
fn changes(report: &mut Report, site: &Site, sizes: Sizes) -> anyhow::Result<()> {
    let names = Names::new(sizes.objects.min(100_000), true);
    let owner = |name: &str| {
        let place = site.place(name)?;
        anyhow::Ok(site.rule(place, ObjectType::User, &Named(name)).owner)
    };
    let mut each = Vec::new();
    let mut owned = 0;
    for _ in 0..sizes.rounds {
        let mut outcome = Ok(());
        opt_out(|| {
            let started = Instant::now();
            for name in names.iter() {
                match owner(name) {
                    Ok(owner) => owned += u64::from(owner != Owner::None),
                    Err(error) => outcome = Err(error),
                }
            }
            each.push(started.elapsed().as_secs_f64() * 1e6 / number(names.iter().count() as u64));
        });
        outcome?;
    }
    ensure!(owned > 0, "no object has an owner");
    report.say(String::new());
    report.at_most(
        "microseconds for one changed object, place and owner",
        median(&each),
        OBJECT_GOAL,
    );
    let all = Names::new(sizes.objects, false);
    let mut scope = Vec::new();
    for _ in 0..sizes.rounds {
        opt_out(|| {
            let started = Instant::now();
            let mut changed = configuration();
            if let Some(connect) = &mut changed.connect {
                connect.connectors[0].partitions[0].selected = false;
            }
            let site = Site::new(changed);
            black_box(in_scope(&site, &all));
            scope.push(started.elapsed().as_secs_f64() * 1e3);
        });
    }
    report.say(format!(
        "one changed scope, both engines set up anew and every object placed again: {} ms",
        short(median(&scope))
    ));
    Ok(())
}
