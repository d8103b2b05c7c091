"""Views: live widgets and their static twins, one file per view. Importing this package loads nothing."""
