//! Which block has room. (Being written.)
