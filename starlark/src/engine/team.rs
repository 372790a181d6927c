//! Engines that use several threads: see [`crate::parallel`].

use super::*;

/// # Several threads
impl Engine {
    /// An interpreter that evaluates the modules which a program loads on as many threads as `jobs` says, its own among them,
    /// and so the elements of `parallel_map`, if the dialect has it. See [`crate::parallel`].
    ///
    /// `setup` gives the programs what they may use; it is called for this engine now, and for that of each other thread when
    /// the thread begins. It has to do the same each time.
    ///
    /// # Errors
    /// The heap cannot be made, or the setup failed.
    pub fn parallel(
        config: Config,
        dialect: Dialect,
        loader: Arc<dyn Loader + Send + Sync>,
        jobs: usize,
        setup: impl Fn(&mut Engine) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Engine, EngineError> {
        let group = Group::new(config.clone()).map_err(EngineError::Config)?;
        let recipe = Recipe {
            config: parallel::helper_config(&config, jobs),
            dialect,
            loader: Arc::clone(&loader),
            setup: Box::new(setup),
            helpers: jobs.saturating_sub(1),
            builtins: std::sync::OnceLock::new(),
            canceller: std::sync::OnceLock::new(),
        };
        let team = Arc::new(Team::new(group, Some(recipe)));
        let mut engine = Engine::member(Arc::clone(&team), config, dialect, Box::new(loader), false)?;
        if let Some(recipe) = &team.recipe {
            (recipe.setup)(&mut engine).map_err(EngineError::Setup)?;
            let _ = recipe.builtins.set(engine.builtin_names());
            let _ = recipe.canceller.set(engine.canceller());
        }
        Ok(engine)
    }

    /// Runs modules that its loader finds, with all that they load, each once: those that are there already are not run
    /// again. Says for each what came of it, in the order of the keys; what they print comes in that order, too.
    pub fn run_all(&mut self, keys: &[impl AsRef<str>]) -> Vec<Result<(), Error>> {
        if let Err(error) = self.begin() {
            return keys.iter().map(|_| Err(error.clone())).collect();
        }
        let wanted = keys.iter().map(AsRef::as_ref).filter(|key| !self.machine.has_module(key));
        let mut roots: Vec<Root> = Vec::new();
        for key in wanted {
            if roots.iter().all(|(known, _)| known != key) {
                roots.push((key.to_owned(), None));
            }
        }
        let ran = match self.graph_team() {
            Some(team) => parallel::run(&mut self.machine, &team, roots.clone()),
            // One may have loaded another that comes later.
            None => roots
                .iter()
                .map(
                    |(key, _)| if self.machine.has_module(key) { Ok(()) } else { self.machine.run_root(key) },
                )
                .collect(),
        };
        let outcomes: Vec<Result<(), Error>> =
            ran.into_iter().map(|ran| ran.map_err(|diagnostics| self.recover(diagnostics.into()))).collect();
        let outcome = |key: &str| {
            let at = roots.iter().position(|(root, _)| root == key);
            at.map_or(Ok(()), |at| outcomes[at].clone())
        };
        keys.iter().map(|key| outcome(key.as_ref())).collect()
    }

    /// The team that evaluates load graphs, if this engine has one, and nothing is watched that only one heap has.
    pub(super) fn graph_team(&self) -> Option<Arc<Team>> {
        let team = self.machine.team()?;
        team.recipe.as_ref().filter(|_| self.machine.places().is_empty())?;
        Some(Arc::clone(team))
    }

    /// An engine with a heap of a team's group.
    pub(super) fn member(
        team: Arc<Team>,
        config: Config,
        dialect: Dialect,
        loader: Box<dyn Loader>,
        is_helper: bool,
    ) -> Result<Engine, EngineError> {
        let heap = new_heap(Some(&team.group), config).map_err(EngineError::Config)?;
        let seat = Seat::new(team, is_helper);
        let machine = Machine::new(heap, dialect, loader, Some(seat)).map_err(EngineError::Alloc)?;
        Ok(Engine { machine })
    }

    /// The engine of a helper; `None` if there is no memory for it.
    ///
    /// # Panics
    /// The setup has not done what it did for the first engine.
    pub(crate) fn helper(team: &Arc<Team>) -> Option<Engine> {
        let recipe = team.recipe.as_ref()?;
        let (config, loader) = (recipe.config.clone(), Box::new(Arc::clone(&recipe.loader)));
        let mut engine = Engine::member(Arc::clone(team), config, recipe.dialect, loader, true).ok()?;
        (recipe.setup)(&mut engine).ok()?;
        assert_eq!(
            Some(&engine.builtin_names()),
            recipe.builtins.get(),
            "the setup of an engine for several threads does the same each time"
        );
        if let Some(canceller) = recipe.canceller.get() {
            engine.machine.host_mut().meter.canceller = canceller.clone();
        }
        Some(engine)
    }

    fn builtin_names(&self) -> Vec<String> {
        self.machine.cx().host.builtins.iter().map(|builtin| builtin.name.clone()).collect()
    }
}
