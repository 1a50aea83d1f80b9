//! As much shell as manifests of test workloads use: `sleep 5 && exit 3`, `touch /tmp/ready; sleep infinity`.
//!
//! A script runs on its own clock and ends at a known offset, or never. What the model does not understand (a
//! pipeline, a loop, a program that it doesn't know) is the application itself: it runs for ever, or, where the
//! container has a task to finish, succeeds at once.

use jiff::SignedDuration;

use super::absent::says_absent;
use super::files::{FileChange, Files};
use super::time::NO_TIME;

/// What a program that the model doesn't know does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    RunsForEver,
    SucceedsAtOnce,
}

/// How one command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    With(i32),
    /// The whole script ends here.
    Exit(i32),
    Never,
}

#[derive(Debug)]
pub(super) struct Shell {
    files: Files,
    unknown: Unknown,
    clock: SignedDuration,
    pub(super) changes: Vec<FileChange>,
    pub(super) ignores_sigterm: bool,
}

const NOT_FOUND: i32 = 127;

impl Shell {
    pub(super) fn new(files: Files, unknown: Unknown) -> Self {
        Self { files, unknown, clock: NO_TIME, changes: Vec::new(), ignores_sigterm: false }
    }

    /// Runs one program with its arguments; the offset and code of its end, or `None` if it has none.
    pub(super) fn run(&mut self, argv: &[String]) -> Option<(SignedDuration, i32)> {
        match self.program(argv) {
            Done::With(code) | Done::Exit(code) => Some((self.clock, code)),
            Done::Never => None,
        }
    }

    fn program(&mut self, argv: &[String]) -> Done {
        match shell_script(argv) {
            Some((script, stop_at_failure)) => self.script(script, stop_at_failure),
            None => self.command(argv),
        }
    }

    fn script(&mut self, script: &str, stop_at_failure: bool) -> Done {
        let Some(lists) = parse(script) else {
            return self.unknown_program();
        };
        let mut last = 0;
        for list in lists {
            match self.and_or(&list) {
                Done::With(code) if code != 0 && stop_at_failure => return Done::Exit(code),
                Done::With(code) => last = code,
                end => return end,
            }
        }
        Done::Exit(last)
    }

    /// `a && b || c`: each part runs if the last code allows it.
    fn and_or(&mut self, parts: &[(Joint, Vec<String>)]) -> Done {
        let mut last = 0;
        for (joint, argv) in parts {
            let runs = match joint {
                Joint::Start => true,
                Joint::And => last == 0,
                Joint::Or => last != 0,
            };
            if runs {
                match self.command(argv) {
                    Done::With(code) => last = code,
                    end => return end,
                }
            }
        }
        Done::With(last)
    }

    fn command(&mut self, argv: &[String]) -> Done {
        let Some((name, arguments)) = argv.split_first() else {
            return Done::With(0);
        };
        match base_name(name) {
            "sleep" => self.sleep(arguments),
            "exit" => Done::Exit(arguments.first().and_then(|code| code.parse().ok()).unwrap_or(0)),
            "true" | ":" | "echo" | "printf" | "mkdir" | "set" | "export" | "cd" | "date" | "env" | "ls"
            | "hostname" | "id" | "whoami" | "uname" | "chmod" | "sync" => Done::With(0),
            "false" => Done::With(1),
            "touch" => self.set_files(arguments, true),
            "rm" => self.set_files(arguments, false),
            "cat" | "head" | "tail" | "grep" => self.read_files(arguments),
            "test" => self.test(arguments),
            "[" => self.test(arguments.strip_suffix(&["]".to_owned()]).unwrap_or(arguments)),
            "trap" => self.trap(arguments),
            "exec" => match self.program(arguments) {
                Done::With(code) => Done::Exit(code),
                end => end,
            },
            _ if shell_script(argv).is_some() => match self.program(argv) {
                Done::Exit(code) => Done::With(code),
                end => end,
            },
            _ if is_assignment(name) => Done::With(0),
            _ if says_absent(name) => Done::With(NOT_FOUND),
            _ => self.unknown_program(),
        }
    }

    fn unknown_program(&self) -> Done {
        match self.unknown {
            Unknown::RunsForEver => Done::Never,
            Unknown::SucceedsAtOnce => Done::With(0),
        }
    }

    fn sleep(&mut self, spans: &[String]) -> Done {
        if spans.is_empty() {
            return Done::With(1);
        }
        for span in spans {
            match sleep_span(span) {
                Some(Some(span)) => self.clock = self.clock.saturating_add(span),
                Some(None) => return Done::Never,
                None => return Done::With(1),
            }
        }
        Done::With(0)
    }

    fn set_files(&mut self, arguments: &[String], exists: bool) -> Done {
        for path in arguments.iter().filter(|argument| !argument.starts_with('-')) {
            self.files.set(path, exists);
            self.changes.push(FileChange { offset: self.clock, path: path.clone(), exists });
        }
        Done::With(0)
    }

    /// `tail -f` follows for ever; anything else fails on the first path that is not there.
    fn read_files(&self, arguments: &[String]) -> Done {
        if arguments.iter().any(|argument| argument == "-f" || argument == "-F") {
            return Done::Never;
        }
        let mut paths = arguments.iter().filter(|argument| argument.starts_with('/'));
        Done::With(i32::from(!paths.all(|path| self.files.exists(path))))
    }

    fn test(&self, arguments: &[String]) -> Done {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let exists = |path: &str| self.files.exists(path);
        let answer = match words.as_slice() {
            ["-e" | "-f" | "-r" | "-s" | "-d", path] => exists(path),
            ["!", "-e" | "-f" | "-r" | "-s" | "-d", path] => !exists(path),
            ["-n", text] | [text] => !text.is_empty(),
            ["-z", text] => text.is_empty(),
            [a, "=" | "==", b] => a == b,
            [a, "!=", b] => a != b,
            _ => false,
        };
        Done::With(i32::from(!answer))
    }

    fn trap(&mut self, arguments: &[String]) -> Done {
        if let [action, signals @ ..] = arguments
            && action.is_empty()
            && signals.iter().any(|signal| matches!(signal.as_str(), "TERM" | "SIGTERM" | "15"))
        {
            self.ignores_sigterm = true;
        }
        Done::With(0)
    }
}

pub(super) fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The script of `sh -c script`, and whether `-e` is among the flags.
pub(super) fn shell_script(argv: &[String]) -> Option<(&str, bool)> {
    let (name, arguments) = argv.split_first()?;
    if !matches!(base_name(name), "sh" | "bash" | "ash" | "dash") {
        return None;
    }
    let mut stop_at_failure = false;
    let mut arguments = arguments.iter();
    while let Some(flags) = arguments.next().and_then(|flags| flags.strip_prefix('-')) {
        stop_at_failure |= flags.contains('e');
        if flags.contains('c') {
            return arguments.next().map(|script| (script.as_str(), stop_at_failure));
        }
    }
    None
}

/// `Some(None)` is for ever; `None` is no span at all.
fn sleep_span(word: &str) -> Option<Option<SignedDuration>> {
    if matches!(word, "infinity" | "inf") {
        return Some(None);
    }
    let (number, unit) = match word.char_indices().last()? {
        (at, 's') => (&word[..at], 1.0),
        (at, 'm') => (&word[..at], 60.0),
        (at, 'h') => (&word[..at], 3_600.0),
        (at, 'd') => (&word[..at], 86_400.0),
        _ => (word, 1.0),
    };
    let seconds = number.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0)? * unit;
    Some(SignedDuration::try_from_secs_f64(seconds).ok())
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    Start,
    And,
    Or,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    And,
    Or,
    Then,
}

type AndOr = Vec<(Joint, Vec<String>)>;

/// A script as lists of commands; `None` for what is beyond this model.
fn parse(script: &str) -> Option<Vec<AndOr>> {
    const BEYOND: [&str; 11] = ["if", "then", "while", "until", "for", "do", "done", "case", "function", "{", "}"];
    let mut lists = vec![vec![(Joint::Start, Vec::new())]];
    for token in tokens(script)? {
        let list = lists.last_mut()?;
        match token {
            Token::And => list.push((Joint::And, Vec::new())),
            Token::Or => list.push((Joint::Or, Vec::new())),
            Token::Then => lists.push(vec![(Joint::Start, Vec::new())]),
            Token::Word(word) => {
                let (_, argv) = list.last_mut()?;
                if argv.is_empty() && BEYOND.contains(&word.as_str()) {
                    return None;
                }
                argv.push(word);
            }
        }
    }
    lists.retain(|list| list.iter().any(|(_, argv)| !argv.is_empty()));
    Some(lists)
}

fn tokens(script: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = script.chars().peekable();
    let end_word = |word: &mut Option<String>, tokens: &mut Vec<Token>| {
        if let Some(word) = word.take() {
            tokens.push(Token::Word(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' if c == '"' => word.push(chars.next()?),
                        inside => word.push(inside),
                    }
                }
            }
            '\\' => match chars.next()? {
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            ' ' | '\t' | '\r' => end_word(&mut word, &mut tokens),
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            ';' | '\n' => {
                end_word(&mut word, &mut tokens);
                tokens.push(Token::Then);
            }
            '&' if chars.next_if_eq(&'&').is_some() => {
                end_word(&mut word, &mut tokens);
                tokens.push(Token::And);
            }
            '|' if chars.next_if_eq(&'|').is_some() => {
                end_word(&mut word, &mut tokens);
                tokens.push(Token::Or);
            }
            // A redirection goes nowhere that a probe would look, except that `> file` makes the file.
            '>' => {
                if word.as_deref().is_some_and(|fd| fd.chars().all(|c| c.is_ascii_digit())) {
                    word = None;
                }
                end_word(&mut word, &mut tokens);
                while chars.next_if(|c| matches!(c, '>' | ' ' | '&')).is_some() {}
                let mut target = String::new();
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '&' | '|')) {
                    target.push(c);
                }
                if target.starts_with('/') && !target.starts_with("/dev/") {
                    redirect_into(&mut tokens, target);
                }
            }
            '&' | '|' | '(' | ')' | '`' | '<' => return None,
            '$' if chars.peek().is_some_and(|c| *c == '(') => return None,
            _ => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut word, &mut tokens);
    Some(tokens)
}

/// `command > file` reads as `touch file && command`.
fn redirect_into(tokens: &mut Vec<Token>, file: String) {
    let start = tokens.iter().rposition(|token| !matches!(token, Token::Word(_))).map_or(0, |at| at + 1);
    let touch = [Token::Word("touch".to_owned()), Token::Word(file), Token::And];
    tokens.splice(start..start, touch);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Shell {
        let mut shell = Shell::new(Files::default(), Unknown::RunsForEver);
        shell.run(&["sh".into(), "-c".into(), script.into()]);
        shell
    }

    fn end_of(script: &str, unknown: Unknown) -> String {
        let mut shell = Shell::new(Files::default(), unknown);
        match shell.run(&["/bin/sh".into(), "-c".into(), script.into()]) {
            Some((after, code)) => format!("{}ms exit {code}", after.as_millis()),
            None => "never".to_owned(),
        }
    }

    #[test]
    fn a_script_ends_when_and_as_its_commands_say() {
        for (script, end) in [
            ("exit 3", "0ms exit 3"),
            ("exit", "0ms exit 0"),
            ("sleep 5 && exit 3", "5000ms exit 3"),
            ("sleep 0.25; exit 1", "250ms exit 1"),
            ("sleep 1m 1s", "61000ms exit 0"),
            ("sleep infinity", "never"),
            ("sleep", "0ms exit 1"),
            ("sleep soon", "0ms exit 1"),
            ("echo hello world && sleep 2", "2000ms exit 0"),
            ("echo 'a;b && exit 9' \"c\\\"d\"; exit 4", "0ms exit 4"),
            ("false && exit 9; exit 2", "0ms exit 2"),
            ("false || exit 7", "0ms exit 7"),
            ("true || exit 7", "0ms exit 0"),
            ("false", "0ms exit 1"),
            ("does-not-exist --flag", "0ms exit 127"),
            ("sleep 1\nsleep 2 # exit 9\nexit 5", "3000ms exit 5"),
            ("set -x; CODE=4; exit 4", "0ms exit 4"),
            ("exec sleep 3", "3000ms exit 0"),
            ("exec sh -c 'sleep 3; exit 6'", "3000ms exit 6"),
            ("sh -c 'exit 6' || sleep 1", "1000ms exit 0"),
            ("./server --port 80", "never"),
            ("echo start && ./server", "never"),
            ("while true; do sleep 1; done", "never"),
            ("ps | grep x", "never"),
            ("sleep 1 & wait", "never"),
            ("echo $(date)", "never"),
            ("echo 'unclosed", "never"),
            ("tail -f /dev/null", "never"),
            ("sleep 1 > /dev/null 2>&1; exit 8", "1000ms exit 8"),
            ("", "0ms exit 0"),
        ] {
            assert_eq!(end_of(script, Unknown::RunsForEver), end, "{script}");
        }
    }

    #[test]
    fn a_task_takes_unknown_programs_as_done() {
        for (script, end) in [
            ("./migrate && sleep 2", "2000ms exit 0"),
            ("for i in 1 2; do echo; done", "0ms exit 0"),
            ("./migrate; exit 3", "0ms exit 3"),
            ("sleep infinity", "never"),
        ] {
            assert_eq!(end_of(script, Unknown::SucceedsAtOnce), end, "{script}");
        }
    }

    #[test]
    fn the_errexit_flag_ends_a_script_at_its_first_failure() {
        let end = |flags: &str| {
            Shell::new(Files::default(), Unknown::RunsForEver).run(&[
                "bash".into(),
                flags.into(),
                "false; sleep 5".into(),
            ])
        };
        assert_eq!(end("-ec"), Some((NO_TIME, 1)));
        assert_eq!(end("-c"), Some((SignedDuration::from_secs(5), 0)));
    }

    #[test]
    fn files_come_and_go_as_the_script_goes_on() {
        let shell = sh("touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; echo up > /tmp/up; sleep 600");
        let seen: Vec<(i64, &str, bool)> =
            shell.changes.iter().map(|change| (change.offset.as_secs(), change.path.as_str(), change.exists)).collect();
        assert_eq!(seen, [(0, "/tmp/healthy", true), (30, "/tmp/healthy", false), (30, "/tmp/up", true)]);
        assert_eq!(end_of("touch /tmp/a && test -f /tmp/a && exit 3", Unknown::RunsForEver), "0ms exit 3");
        assert_eq!(end_of("[ -f /tmp/a ] || exit 4", Unknown::RunsForEver), "0ms exit 4");
        assert_eq!(end_of("cat /tmp/a", Unknown::RunsForEver), "0ms exit 1");
        assert_eq!(end_of("cat /etc/hostname", Unknown::RunsForEver), "0ms exit 0");
    }

    #[test]
    fn a_script_that_traps_sigterm_with_nothing_ignores_it() {
        assert!(sh("trap '' TERM; sleep 60").ignores_sigterm);
        assert!(!sh("trap 'exit 0' TERM; sleep 60").ignores_sigterm);
        assert!(!sh("trap '' INT; sleep 60").ignores_sigterm);
    }
}
