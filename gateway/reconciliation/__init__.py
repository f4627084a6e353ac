"""Three-way match of purchases, payment records and points entries: plain functions, the same result for the same facts."""
