//! What a person asks for, as it stands in the URL. There is no session: a link is the whole search.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The longest text that a field may carry, in bytes.
pub const LONGEST_TEXT: usize = 4096;
/// The most examples of one kind.
pub const MOST_EXAMPLES: usize = 200;

/// What separates the parts of an example in the URL, and so is escaped inside of a key or a reason.
const PARTS: &AsciiSet = &CONTROLS.add(b'%').add(b',').add(b':').add(b'*');

/// A row that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    pub key: String,
    /// 1, 2 or 3: as if given so many times.
    pub weight: u8,
}

/// What was said about why a row is not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nothing yet: the page asks.
    Open,
    /// That there is none.
    None,
    Text(String),
}

/// A row that is not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub key: String,
    pub reason: Reason,
}

/// Where a page begins: behind this row.
#[derive(Debug, Clone, PartialEq)]
pub struct After {
    pub distance: f64,
    pub key: String,
    /// How many rows stand before.
    pub seen: usize,
}

/// How rows are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    #[default]
    Hinted,
    Neighbour,
    Text,
}

impl Method {
    pub const ALL: [Method; 3] = [Method::Hinted, Method::Neighbour, Method::Text];

    pub fn name(self) -> &'static str {
        match self {
            Method::Hinted => "hinted",
            Method::Neighbour => "neighbour",
            Method::Text => "text",
        }
    }
}

/// A whole search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Texts of what is wanted, separated by semicolons.
    pub text: String,
    /// The same of what is not wanted.
    pub avoid: String,
    pub likes: Vec<Like>,
    pub rejections: Vec<Rejection>,
    /// Column and value.
    pub filters: Vec<(String, String)>,
    /// A condition in SQL, where that is allowed.
    pub condition: String,
    pub method: Method,
    pub compare: bool,
    /// Near duplicates are shown one by one.
    pub unfolded: bool,
    pub diverse: bool,
    pub after: Option<After>,
    /// Which random rows the start page shows.
    pub shuffle: u32,
}

/// A URL that cannot be understood; the words are for the person who opened it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadState(pub String);

impl State {
    /// Reads the query part of a URL. Forms send beside the state what is to change: `new_like`, `new_not`, `reason_of`
    /// with `reason`, and `where_COLUMN`.
    ///
    /// # Errors
    /// [`BadState`] for what cannot be meant; unknown names are ignored.
    pub fn parse(query: &str) -> Result<(Self, bool), BadState> {
        let mut state = State::default();
        let mut changes = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.contains('\0') {
                return Err(BadState(format!("{name} contains a null character.")));
            }
            if value.len() > LONGEST_TEXT && !matches!(&*name, "like" | "not") {
                return Err(BadState(format!("{name} is longer than {LONGEST_TEXT} bytes.")));
            }
            match &*name {
                "text" => state.text = value.trim().into(),
                "avoid" => state.avoid = value.trim().into(),
                "like" => parts(&value).for_each(|part| state.like(parse_like(part))),
                "not" => parts(&value).for_each(|part| state.reject(parse_rejection(part))),
                "where" => state.filters.extend(value.split_once(':').map(|(c, v)| (decode(c), decode(v)))),
                "sql" => state.condition = value.trim().into(),
                "by" => {
                    state.method = Method::ALL.into_iter().find(|m| m.name() == value).unwrap_or_default();
                }
                "compare" => state.compare = value == "1",
                "fold" => state.unfolded = value == "0",
                "diverse" => state.diverse = value == "1",
                "after" => state.after = Some(parse_after(&value)?),
                "shuffle" => state.shuffle = value.parse().unwrap_or_default(),
                _ => changes.push((name.into_owned(), value.into_owned())),
            }
        }
        let changed = state.apply(&changes);
        if state.likes.len().max(state.rejections.len()) > MOST_EXAMPLES {
            return Err(BadState(format!("More than {MOST_EXAMPLES} examples of a kind.")));
        }
        Ok((state, changed))
    }

    /// What forms ask for; whether that was anything.
    fn apply(&mut self, changes: &[(String, String)]) -> bool {
        let find =
            |wanted: &str| changes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim());
        let mut changed = false;
        if let Some(key) = find("reason_of") {
            let reason = match find("reason").unwrap_or_default() {
                "" => Reason::None,
                text => Reason::Text(text.into()),
            };
            self.explain(key, reason);
            changed = true;
        }
        for (name, value) in changes {
            if let Some(column) = name.strip_prefix("where_") {
                self.filters.retain(|(other, _)| other != column);
                if !value.is_empty() {
                    self.filters.push((column.into(), value.clone()));
                }
                self.after = None;
                changed = true;
            }
        }
        changed
    }

    /// Adds a wanted row, which is then not an unwanted one.
    pub fn like(&mut self, like: Like) {
        self.rejections.retain(|other| other.key != like.key);
        match self.likes.iter_mut().find(|other| other.key == like.key) {
            Some(other) => other.weight = like.weight,
            None => self.likes.push(like),
        }
    }

    /// Adds an unwanted row, which is then not a wanted one.
    pub fn reject(&mut self, rejection: Rejection) {
        self.likes.retain(|other| other.key != rejection.key);
        match self.rejections.iter_mut().find(|other| other.key == rejection.key) {
            Some(other) => *other = rejection,
            None => self.rejections.push(rejection),
        }
    }

    /// Says why a rejected row is not wanted.
    pub fn explain(&mut self, key: &str, reason: Reason) {
        if let Some(rejection) = self.rejections.iter_mut().find(|other| other.key == key) {
            rejection.reason = reason;
        }
        self.after = None;
    }

    /// Takes an example away.
    pub fn forget(&mut self, key: &str) {
        self.likes.retain(|other| other.key != key);
        self.rejections.retain(|other| other.key != key);
        self.after = None;
    }

    /// Takes an example away that is not there, and stays on the page.
    pub fn forget_quietly(&mut self, key: &str) {
        let after = self.after.take();
        self.forget(key);
        self.after = after;
    }

    /// This state after a change, on its first page.
    pub fn with(&self, change: impl FnOnce(&mut State)) -> State {
        let mut state = State { after: None, ..self.clone() };
        change(&mut state);
        state
    }

    /// Whether anything says what is wanted.
    pub fn wants_something(&self) -> bool {
        !self.likes.is_empty() || !self.text.is_empty()
    }

    /// Whether nothing at all was said.
    pub fn is_empty(&self) -> bool {
        !self.wants_something() && self.rejections.is_empty() && self.avoid.is_empty()
    }

    /// The texts of a field.
    pub fn texts(field: &str) -> impl Iterator<Item = &str> {
        field.split(';').map(str::trim).filter(|text| !text.is_empty())
    }

    /// Name and value of everything that differs from the defaults: what a form must carry along.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut add = |name, value: String| {
            if !value.is_empty() {
                pairs.push((name, value));
            }
        };
        add("text", self.text.clone());
        add("avoid", self.avoid.clone());
        add("like", joined(&self.likes, write_like));
        add("not", joined(&self.rejections, write_rejection));
        for (column, value) in &self.filters {
            add("where", format!("{}:{}", encode(column), encode(value)));
        }
        add("sql", self.condition.clone());
        let flag = |set: bool, value: &str| if set { value.to_owned() } else { String::new() };
        add("by", flag(self.method != Method::Hinted, self.method.name()));
        add("compare", flag(self.compare, "1"));
        add("fold", flag(self.unfolded, "0"));
        add("diverse", flag(self.diverse, "1"));
        if let Some(After { distance, key, seen }) = &self.after {
            add("after", format!("{distance}:{seen}:{key}"));
        }
        if self.shuffle > 0 {
            add("shuffle", self.shuffle.to_string());
        }
        pairs
    }

    /// The query part of the URL, `""` for nothing.
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs());
        query.finish()
    }

    /// The URL of the page below `path`.
    pub fn url(&self, path: &str) -> String {
        match self.query() {
            query if query.is_empty() => path.into(),
            query => format!("{path}?{query}"),
        }
    }
}

fn parts(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter(|part| !part.is_empty())
}

fn encode(part: &str) -> String {
    utf8_percent_encode(part, PARTS).to_string()
}

fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().replace('\0', "")
}

fn parse_like(part: &str) -> Like {
    let (key, weight) = part.split_once('*').unwrap_or((part, "1"));
    Like { key: decode(key), weight: weight.parse().unwrap_or(1).clamp(1, 3) }
}

fn parse_rejection(part: &str) -> Rejection {
    let (key, reason) = match part.split_once(':') {
        None => (part, Reason::Open),
        Some((key, "")) => (key, Reason::None),
        Some((key, text)) => (key, Reason::Text(decode(text))),
    };
    Rejection { key: decode(key), reason }
}

fn parse_after(value: &str) -> Result<After, BadState> {
    let mut fields = value.splitn(3, ':');
    let mut next = || fields.next().unwrap_or_default();
    let (distance, seen, key) = (next().parse::<f64>(), next().parse(), next().to_owned());
    match (distance, seen) {
        (Ok(distance), Ok(seen)) if distance.is_finite() => Ok(After { distance, key, seen }),
        _ => Err(BadState("after does not name a row.".into())),
    }
}

fn write_like(like: &Like, to: &mut String) {
    to.push_str(&encode(&like.key));
    if like.weight > 1 {
        let _ = write!(to, "*{}", like.weight);
    }
}

fn write_rejection(rejection: &Rejection, to: &mut String) {
    to.push_str(&encode(&rejection.key));
    match &rejection.reason {
        Reason::Open => {}
        Reason::None => to.push(':'),
        Reason::Text(text) => {
            let _ = write!(to, ":{}", encode(text));
        }
    }
}

fn joined<T>(items: &[T], write: impl Fn(&T, &mut String)) -> String {
    let mut all = String::new();
    for item in items {
        if !all.is_empty() {
            all.push(',');
        }
        write(item, &mut all);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> State {
        State::parse(query).unwrap().0
    }

    #[test]
    fn a_url_comes_back_as_it_went() {
        let state = State {
            text: "café \"quoted\" <script>; 🐎 & more".into(),
            avoid: "a, b; c".into(),
            likes: vec![Like { key: "42".into(), weight: 2 }, Like { key: "a,b:c*d%e".into(), weight: 1 }],
            rejections: vec![
                Rejection { key: "7".into(), reason: Reason::Open },
                Rejection { key: "8".into(), reason: Reason::None },
                Rejection { key: "9".into(), reason: Reason::Text("hand, 50 %: yes*".into()) },
            ],
            filters: vec![("a:b".into(), "c:d".into())],
            condition: "x > 1".into(),
            method: Method::Text,
            compare: true,
            unfolded: true,
            diverse: true,
            after: Some(After { distance: -0.123456789, key: "x:y,z".into(), seen: 24 }),
            shuffle: 3,
        };
        assert_eq!(parsed(&state.query()), state);
        assert_eq!(State::default().url("/"), "/");
    }

    #[test]
    fn a_row_is_wanted_or_not() {
        let state = parsed("like=1,2*3&not=1");
        assert_eq!(state.likes, [Like { key: "2".into(), weight: 3 }]);
        assert_eq!(state.rejections.len(), 1);
        assert_eq!(parsed("like=1*9").likes[0].weight, 3);
    }

    #[test]
    fn forms_change_the_state() {
        let (state, changed) = State::parse("not=5&reason_of=5&reason=+hand+&where_a=x&after=1:1:1").unwrap();
        assert!(changed);
        assert_eq!(state.rejections[0].reason, Reason::Text("hand".into()));
        assert_eq!(state.filters, [("a".into(), "x".into())]);
        assert_eq!(state.after, None);
        assert!(!State::parse("like=1&unknown=2").unwrap().1);
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        assert!(State::parse("after=x").is_err());
        assert!(State::parse("after=NaN:1:1").is_err());
        assert!(State::parse("text=a%00b").is_err());
        assert!(State::parse(&format!("text={}", "a".repeat(LONGEST_TEXT + 1))).is_err());
        let many: Vec<_> = (0..=MOST_EXAMPLES).map(|i| i.to_string()).collect();
        assert!(State::parse(&format!("like={}", many.join(","))).is_err());
    }
}
