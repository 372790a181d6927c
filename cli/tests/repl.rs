//! `frazil repl` as a person uses it: on a terminal, which the `script` of util-linux provides.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A terminal that shows nothing new for so long waits for something that will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The prompt. The editor has taken the terminal over when it is seen.
const PROMPT: &str = ">>> ";
/// The prompt for the second and further lines of an input.
const MORE: &str = "... ";

/// Somebody at a terminal, who presses keys when they see what they wait for.
struct Person {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    /// All that was shown.
    shown: Vec<u8>,
    /// How much of it has been looked at.
    looked_at: usize,
}

impl Person {
    /// Starts a session in a folder of its own, or nothing if there is no terminal to be had.
    fn sit_down(name: &str) -> Option<Person> {
        let mut person = Person::begin(name, "history", "xterm")?;
        person.wait_for(PROMPT);
        Some(person)
    }

    /// The same with this history on such a terminal, and without waiting for the prompt.
    fn begin(name: &str, history: &str, terminal: &str) -> Option<Person> {
        let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder for tests");
        std::fs::write(folder.join("lib.star"), "def twice(x): return 2 * x\n").expect("a file for tests");
        // `exec`, for some shells take a Ctrl-C for themselves too, if they wait for the session.
        let command = format!("exec {} repl --color never --history {history}", env!("CARGO_BIN_EXE_frazil"));
        let child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .current_dir(&folder)
            .env("TERM", terminal)
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no command `script` to make a terminal");
            return None;
        };
        let keys = child.stdin.take().expect("a pipe");
        let mut output = child.stdout.take().expect("a pipe");
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(len @ 1..) = output.read(&mut part) {
                if tell.send(part[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Some(Person { child, keys, screen, shown: Vec::new(), looked_at: 0 })
    }

    /// Waits until `text` is shown, after all that was waited for before.
    fn wait_for(&mut self, text: &str) {
        loop {
            let new = &self.shown[self.looked_at..];
            if let Some(at) = new.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.looked_at += at + text.len();
                return;
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(part) => self.shown.extend(part),
                Err(_) => panic!("no {text:?} in {}", self.text()),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the session goes on");
    }

    /// Enters a line, waits for what it shows, and for the next prompt.
    fn enter(&mut self, line: &str, expected: &str) {
        self.press(line);
        self.press("\r");
        self.wait_for(expected);
        self.wait_for(PROMPT);
    }

    /// Enters lines of an input that goes on.
    fn enter_first(&mut self, lines: &[&str]) {
        for line in lines {
            self.press(line);
            self.press("\r");
            self.wait_for(MORE);
        }
    }

    /// Leaves in this way; all that was shown.
    fn leave(self, keys: &str) -> String {
        self.leave_with(keys, 0)
    }

    /// The same with an exit status.
    fn leave_with(mut self, keys: &str, status: i32) -> String {
        self.press(keys);
        while let Ok(part) = self.screen.recv_timeout(PATIENCE) {
            self.shown.extend(part);
        }
        let ended = self.child.wait().expect("it ends");
        assert_eq!(ended.code(), Some(status), "{}", self.text());
        self.text()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}

#[test]
fn values_are_shown_and_blocks_go_on() {
    let Some(mut person) = Person::sit_down("repl_values") else { return };
    person.enter_first(&["xs = [1,"]);
    person.enter("2]", "\r\n");
    person.enter("xs.append(40)", "\r\n");
    person.enter("load('lib.star', 'twice')", "\r\n");
    person.enter_first(&["def sum(xs):", "    n = 0", "    for x in xs: n += x", "    return n"]);
    person.enter("", "\r\n");
    person.enter("'sum: ' + str(twice(sum(xs)))", "\"sum: 86\"\r\n");
    person.enter("len(_)", "\r\n7\r\n");
    person.leave(":quit\r");
    let history = std::env!("CARGO_TARGET_TMPDIR").to_owned() + "/repl_values/history";
    assert!(std::fs::read_to_string(history).is_ok_and(|text| text.contains("xs.append(40)")));
}

#[test]
fn an_error_or_an_interruption_ends_no_session() {
    let Some(mut person) = Person::sit_down("repl_errors") else { return };
    person.enter("1 // 0", "error: floored division by zero");
    person.enter_first(&["for n in [1]:", "    print('bu' + 'sy')", "    while True: pass"]);
    person.press("\r");
    person.wait_for("busy\r\n");
    person.press("\u{3}");
    person.wait_for("error: the program was cancelled");
    person.wait_for(PROMPT);
    person.enter_first(&["[1,"]);
    person.press("given up");
    person.wait_for("given up");
    person.press("\u{3}");
    person.wait_for(PROMPT);
    person.enter("'still ' + 'here'", "\"still here\"\r\n");
    let shown = person.leave("\u{4}");
    assert!(shown.contains(" --> <input 1>:1:3"), "{shown}");
}

#[test]
fn names_are_completed() {
    let Some(mut person) = Person::sit_down("repl_names") else { return };
    person.enter("json.enc\t([None])", "\"[null]\"\r\n");
    person.leave("\u{4}");
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let Some(mut person) = Person::sit_down("repl_ahead") else { return };
    person.press("def f(x):\r    return 'so ' + x\r\rf('it')\rf('is')\r");
    person.wait_for("\"so it\"\r\n");
    person.wait_for("\"so is\"\r\n");
    person.leave("exit\r");
}

#[test]
fn what_is_wrong_already_is_told_at_once() {
    let Some(mut person) = Person::sit_down("repl_wrong") else { return };
    person.enter("def f(:", "error: got ':'");
    person.enter("  1", "error: got indent");
    person.leave("quit()\r");
}

#[test]
fn a_huge_value_is_cut() {
    let Some(mut person) = Person::sit_down("repl_huge") else { return };
    person.enter("'é' * 100000", " ... and 95002 characters more: print(_) shows all\r\n");
    person.enter("exit = len(_)", "\r\n");
    person.enter("exit", "\r\n200000\r\n");
    person.leave("\u{4}");
}

#[test]
fn sessions_share_a_history_that_outlives_them() {
    let Some(mut one) = Person::sit_down("repl_history") else { return };
    let Some(mut other) = Person::sit_down("repl_history") else { return };
    one.enter("'first'", "\"first\"\r\n");
    other.enter("'second'", "\"second\"\r\n");
    // It is killed, as by a terminal that is closed.
    one.child.kill().expect("it runs");
    one.child.wait().expect("it ends");
    other.enter("'third'", "\"third\"\r\n");
    other.leave("\u{4}");
    let history = std::env!("CARGO_TARGET_TMPDIR").to_owned() + "/repl_history/history";
    let lines = std::fs::read_to_string(history).expect("a history");
    let remembered =
        ["'first'", "'second'", "'third'"].map(|line| lines.lines().filter(|l| *l == line).count());
    assert!(remembered.iter().all(|&times| times > 0), "{lines}");
}

#[test]
fn no_other_file_becomes_a_history() {
    let wrong = [
        ("lib.star", "lib.star is no history of inputs"),
        ("no/such", "cannot write no/such: there is no folder no"),
        (".", "cannot write .: that is a folder"),
    ];
    for (history, what) in wrong {
        let Some(mut person) = Person::begin("repl_foreign", history, "xterm") else { return };
        person.wait_for(what);
        person.leave_with("", 2);
    }
    let lib = std::env!("CARGO_TARGET_TMPDIR").to_owned() + "/repl_foreign/lib.star";
    assert!(std::fs::read_to_string(lib).is_ok_and(|text| text.starts_with("def twice")));
    let Some(mut person) = Person::begin("repl_foreign", "/dev/null", "dumb") else { return };
    person.wait_for(PROMPT);
    person.press("40 + 2\n");
    person.wait_for("42\r\n");
    assert!(person.leave("\u{4}").ends_with(">>> \r\n"));
}
