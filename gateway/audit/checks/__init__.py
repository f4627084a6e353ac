"""One file an invariant: `findings(case)` yields a sentence for each thing that is wrong, and nothing where all is well."""
