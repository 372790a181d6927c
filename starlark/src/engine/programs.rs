//! Programs, calls and values, as an embedding program sees them.

use crate::spelling;

use super::*;

/// # Programs, calls and values
impl Engine {
    /// Runs a module. Its globals are frozen and kept under `key`, which is also the name that errors show. If there was
    /// a module of this name, it is forgotten.
    ///
    /// # Errors
    /// All that is wrong with the text, or the error that ended the run.
    pub fn run(&mut self, key: &str, text: impl Into<String>) -> Result<(), Error> {
        self.begin()?;
        let source = SourceFile::new(key, text);
        let outcome = match self.graph_team() {
            Some(team) => {
                parallel::run(&mut self.machine, &team, vec![(key.to_owned(), Some(source))]).remove(0)
            }
            None => self.machine.run_module(key, &source),
        };
        outcome.map_err(|diagnostics| self.recover(diagnostics.into()))
    }

    /// Analyses the text of a module, to be run once or often. It may use the names that are predeclared now.
    ///
    /// # Errors
    /// All that is wrong with the text.
    pub fn compile(&self, name: &str, text: impl Into<String>) -> Result<Program, Error> {
        Ok(self.machine.compile(&SourceFile::new(name, text))?)
    }

    /// Runs a module that was compiled, as [`Engine::run`].
    ///
    /// # Errors
    /// The error that ended the run.
    pub fn run_program(&mut self, key: &str, program: &Program) -> Result<(), Error> {
        self.begin()?;
        let outcome = self.machine.run_program(key, program, true);
        outcome.map_err(|failure| self.fail(*failure))
    }

    /// The value of an expression, or of the last statement of a program if that is an expression (`None` otherwise).
    /// Nothing else is kept, and nothing frozen.
    ///
    /// # Errors
    /// All that is wrong with the text, or the error that ended the run.
    pub fn evaluate(&mut self, name: &str, text: impl Into<String>) -> Result<Handle, Error> {
        let program = self.compile(name, text)?;
        self.evaluate_with(&program, false)
    }

    /// The same for a program that was compiled.
    ///
    /// # Errors
    /// The error that ended the run.
    pub fn evaluate_program(&mut self, program: &Program) -> Result<Handle, Error> {
        self.evaluate_with(program, true)
    }

    fn evaluate_with(&mut self, program: &Program, again: bool) -> Result<Handle, Error> {
        self.begin()?;
        let outcome = self.machine.evaluate(program, again);
        self.handle(outcome)
    }

    // ------------------------------------------------------------------ calls

    /// Calls a function, or whatever else can be called, with positional arguments: a tuple, or a vector. The function may
    /// be frozen or not.
    ///
    /// ```
    /// use frazil_starlark::Engine;
    /// let mut engine = Engine::default();
    /// engine.run("m", "def greet(name, times = 1): return ' '.join(['hello', name] * times)").unwrap();
    /// let greet = engine.get_global("m", "greet").unwrap();
    /// let greeting = engine.call(&greet, ("you", 2)).unwrap();
    /// assert_eq!(engine.get::<String>(&greeting).unwrap(), "hello you hello you");
    /// ```
    ///
    /// # Errors
    /// The error that ended the call.
    pub fn call<A>(&mut self, function: &Handle, arguments: A) -> Result<Handle, Error>
    where
        A: for<'s> PushArguments<'s> + Clone,
    {
        self.call_with(function, |cx, given| arguments.clone().push(cx, given))
    }

    /// Calls a function with arguments that `fill` makes, by name for example. If memory runs out, it may do so twice.
    ///
    /// # Errors
    /// The error that ended the call.
    pub fn call_with(
        &mut self,
        function: &Handle,
        fill: impl for<'s> Fn(Cx<'s>, &mut Arguments<'s>) -> Res<()>,
    ) -> Result<Handle, Error> {
        self.begin()?;
        let outcome = self.machine.call(|cx, arguments| {
            fill(cx, arguments)?;
            Ok(function.value(cx))
        });
        self.handle(outcome)
    }

    // ------------------------------------------------------------------ values

    /// A value as Rust data.
    ///
    /// # Errors
    /// It is of another type.
    ///
    /// # Panics
    /// The handle belongs to another engine.
    pub fn get<T: for<'s> FromValue<'s>>(&self, handle: &Handle) -> Result<T, Error> {
        let cx = self.machine.cx();
        T::from_value(cx, handle.value(cx)).map_err(|failure| self.machine.diagnose(*failure).into())
    }

    /// A global of a loaded module as Rust data, or as a [`Handle`].
    ///
    /// # Errors
    /// There is none, or it is of another type.
    pub fn get_global<T: for<'s> FromValue<'s>>(&self, key: &str, name: &str) -> Result<T, Error> {
        let value = match self.machine.global(key, name) {
            Some(value) => T::from_value(self.machine.cx(), value),
            None => Err(self.no_global(key, name)),
        };
        value.map_err(|failure| self.machine.diagnose(*failure).into())
    }

    /// The error that a module has no such global.
    fn no_global(&self, key: &str, name: &str) -> Box<Failure> {
        if !self.machine.is_loaded(key) {
            return Failure::new(format!("there is no module {key}: it was not run, or it failed"));
        }
        let hint = spelling::hint(spelling::nearest(name, self.machine.exports(key)));
        Failure::new(format!("module {key} has no {name}{hint}"))
    }

    /// The names that a loaded module exports, sorted.
    pub fn exports(&self, key: &str) -> Vec<String> {
        self.machine.exports(key).into_iter().map(str::to_owned).collect()
    }

    /// Makes a value and keeps it.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn make(&mut self, value: impl for<'s> IntoValue<'s>) -> Result<Handle, Error> {
        let made = self.machine.make_room().and_then(|()| {
            let cx = self.machine.cx();
            value.into_value(cx).map(|value| Handle::new(cx, value))
        });
        made.map_err(|failure| self.fail(*failure))
    }

    /// Lends a value, with the context that is needed to do something with it.
    ///
    /// # Panics
    /// The handle belongs to another engine.
    pub fn look<R>(&self, handle: &Handle, look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R) -> R {
        let cx = self.machine.cx();
        look(cx, handle.value(cx))
    }

    /// Freezes a value, and everything that can be reached from it.
    ///
    /// # Panics
    /// The handle belongs to another engine.
    pub fn freeze(&mut self, handle: &Handle) {
        self.look(handle, |cx, value| cx.freeze(value));
    }

    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let begun = self.machine.begin();
        begun.map_err(|failure| self.fail(*failure))
    }

    /// Keeps the result that is in a word of the root stack.
    fn handle(&mut self, outcome: Res<usize>) -> Result<Handle, Error> {
        match outcome {
            Ok(at) => Ok(self.machine.with(at, |cx, result| Handle::new(cx, result.get()))),
            Err(failure) => Err(self.fail(*failure)),
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) -> Error {
        let diagnostic = self.machine.diagnose(failure);
        self.recover(diagnostic.into())
    }

    /// A program that had no memory leaves garbage, for which the next one cannot wait.
    pub(super) fn recover(&mut self, error: Error) -> Error {
        if error.iter().any(|diagnostic| matches!(diagnostic.cause, Cause::Limit(Limit::Memory))) {
            // If this fails, so will the next program, and say so.
            let _ = self.machine.collect(frazil::Request::Complete);
        }
        error
    }
}
