"""Paying with points, one verb a file: request in, result out, ports by keyword. All checks come before the first write."""
