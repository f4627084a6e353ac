"""The project's commands; the ones without a suffix are for people, each does its own set-up."""
