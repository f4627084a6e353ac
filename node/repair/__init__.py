"""A damaged store made whole again: rebuilt beside itself from what is good in it and from the same chain elsewhere."""
