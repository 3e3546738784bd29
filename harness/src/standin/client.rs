//! Programs the stand-ins and asks them what they saw.
