"""GB/T 22239-2019 (等级保护): catalogue, automatic checks, self-assessment."""
