"""`python -m kozmo_runner` is `kozmo`."""

from kozmo_runner import main

main()
