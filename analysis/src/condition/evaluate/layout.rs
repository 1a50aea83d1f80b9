//! Dates by an example: Go writes a layout as the moment `Mon Jan 2 15:04:05 -0700 2006` would be written.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The parts of the example, those first that begin like others.
const PARTS: [(&str, Part); 28] = [
    ("January", Part::MonthName),
    ("Jan", Part::ShortMonth),
    ("Monday", Part::DayName),
    ("Mon", Part::ShortDay),
    ("MST", Part::Zone),
    ("2006", Part::Year),
    ("Z07:00", Part::Offset { colon: true, zulu: true }),
    ("Z0700", Part::Offset { colon: false, zulu: true }),
    ("-07:00", Part::Offset { colon: true, zulu: false }),
    ("-0700", Part::Offset { colon: false, zulu: false }),
    ("002", Part::YearDay),
    ("01", Part::Month { digits: 2 }),
    ("02", Part::Day { digits: 2 }),
    ("03", Part::Hour12 { digits: 2 }),
    ("04", Part::Minute { digits: 2 }),
    ("05", Part::Second { digits: 2 }),
    ("06", Part::ShortYear),
    ("15", Part::Hour),
    ("PM", Part::Afternoon),
    ("pm", Part::Afternoon),
    ("_2", Part::PaddedDay),
    ("1", Part::Month { digits: 1 }),
    ("2", Part::Day { digits: 1 }),
    ("3", Part::Hour12 { digits: 1 }),
    ("4", Part::Minute { digits: 1 }),
    ("5", Part::Second { digits: 1 }),
    (".0", Part::Fraction),
    (".9", Part::Fraction),
];

#[derive(Clone, Copy, PartialEq)]
enum Part {
    MonthName,
    ShortMonth,
    DayName,
    ShortDay,
    Zone,
    Year,
    ShortYear,
    Offset {
        colon: bool,
        zulu: bool,
    },
    YearDay,
    /// Of one digit here means one or two.
    Month {
        digits: usize,
    },
    Day {
        digits: usize,
    },
    PaddedDay,
    Hour,
    Hour12 {
        digits: usize,
    },
    Minute {
        digits: usize,
    },
    Second {
        digits: usize,
    },
    Fraction,
    Afternoon,
}

/// What was read so far.
struct Read<'t> {
    rest: &'t str,
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    offset_seconds: i64,
    afternoon: Option<bool>,
}

/// The moment that `text` names if it is written like `layout`.
pub(super) fn read(layout: &str, text: &str) -> Option<Timestamp> {
    let mut read = Read {
        rest: text,
        year: 0,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        offset_seconds: 0,
        afternoon: None,
    };
    let mut layout = layout;
    while let Some(first) = layout.chars().next() {
        if let Some((example, part)) = PARTS.iter().find(|(example, _)| layout.starts_with(example)) {
            layout = &layout[example.len()..];
            if *part == Part::Fraction {
                layout = layout.trim_start_matches(['0', '9']);
            }
            read.part(*part)?;
            // A fraction behind the seconds is read even where the layout has none.
            if matches!(part, Part::Second { .. }) && !layout.starts_with('.') {
                read.fraction()?;
            }
        } else {
            layout = &layout[first.len_utf8()..];
            read.rest = read.rest.strip_prefix(first)?;
        }
    }
    if read.rest.is_empty() { read.moment() } else { None }
}

impl Read<'_> {
    fn part(&mut self, part: Part) -> Option<()> {
        match part {
            Part::MonthName => self.month = i8::try_from(self.name(&MONTHS, usize::MAX)? + 1).ok()?,
            Part::ShortMonth => self.month = i8::try_from(self.name(&MONTHS, 3)? + 1).ok()?,
            Part::DayName => drop(self.name(&DAYS, usize::MAX)?),
            Part::ShortDay => drop(self.name(&DAYS, 3)?),
            Part::Zone => self.zone()?,
            Part::Year => self.year = self.digits(4, 4)?,
            Part::ShortYear => {
                let year: i16 = self.digits(2, 2)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
            }
            Part::Offset { colon, zulu } => self.offset(colon, zulu)?,
            Part::YearDay => {
                let day: i16 = self.digits(3, 3)?;
                let date = Date::new(self.year, 1, 1).ok()?.with().day_of_year(day).build().ok()?;
                (self.month, self.day) = (date.month(), date.day());
            }
            Part::Month { digits } => self.month = self.digits(digits, 2)?,
            Part::Day { digits } => self.day = self.digits(digits, 2)?,
            Part::PaddedDay => {
                self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                self.day = self.digits(1, 2)?;
            }
            Part::Hour => self.hour = self.digits(2, 2)?,
            Part::Hour12 { digits } => self.hour = self.digits(digits, 2).filter(|hour| *hour <= 12)?,
            Part::Minute { digits } => self.minute = self.digits(digits, 2)?,
            Part::Second { digits } => self.second = self.digits(digits, 2)?,
            Part::Fraction => self.fraction()?,
            Part::Afternoon => {
                let half = self.rest.get(..2)?;
                self.rest = &self.rest[2..];
                self.afternoon = match half {
                    "AM" | "am" => Some(false),
                    "PM" | "pm" => Some(true),
                    _ => return None,
                };
            }
        }
        Some(())
    }

    /// A number of `least` to `most` digits.
    fn digits<T: TryFrom<i64>>(&mut self, least: usize, most: usize) -> Option<T> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse::<i64>().ok()?.try_into().ok()
    }

    fn name(&mut self, names: &[&str], length: usize) -> Option<usize> {
        let (nth, name) = names
            .iter()
            .map(|name| name.get(..length).unwrap_or(name))
            .enumerate()
            .find(|(_, name)| self.rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)))?;
        self.rest = &self.rest[name.len()..];
        Some(nth)
    }

    /// A zone's letters: Go knows only that UTC and GMT are none, and takes any other for an offset of nothing.
    fn zone(&mut self) -> Option<()> {
        let length = self.rest.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&length) {
            return None;
        }
        self.rest = &self.rest[length..];
        Some(())
    }

    fn offset(&mut self, colon: bool, zulu: bool) -> Option<()> {
        if zulu && let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(());
        }
        let east = match self.rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let hours: i64 = self.digits(2, 2)?;
        if colon {
            self.rest = self.rest.strip_prefix(':')?;
        }
        let minutes: i64 = self.digits(2, 2)?;
        self.offset_seconds = east * (hours * 3600 + minutes * 60);
        (hours <= 24 && minutes < 60).then_some(())
    }

    fn fraction(&mut self) -> Option<()> {
        let Some(behind) = self.rest.strip_prefix(['.', ',']) else {
            return Some(());
        };
        let count = behind.bytes().take_while(u8::is_ascii_digit).count();
        if count > 0 {
            let nanos = format!("{:0<9.9}", &behind[..count]);
            self.nanos = nanos.parse().ok()?;
            self.rest = &behind[count..];
        }
        Some(())
    }

    fn moment(&self) -> Option<Timestamp> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        // A leap second is no time of day to Go either.
        if self.second > 59 {
            return None;
        }
        let time = jiff::civil::Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let utc = Date::new(self.year, self.month, self.day)
            .ok()?
            .to_datetime(time)
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp();
        utc.checked_sub(jiff::SignedDuration::from_secs(self.offset_seconds)).ok()
    }
}
