"""A plug-in of pytest: Langflow's services, which its server registers as it starts."""

import warnings

with warnings.catch_warnings():
    # Of its own dependencies.
    warnings.simplefilter("ignore")
    from langflow.services.utils import register_all_service_factories

    register_all_service_factories()
