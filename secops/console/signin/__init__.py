"""Sign-in, enrolment, sign-out and the reader's preferences.

The console is a relying party of our own provider: ``/signin`` starts an authorization
request, ``/login`` proves who it is to the provider, ``/login/callback`` redeems the code.
"""

from secops.console.signin.pages import routes

__all__ = ["routes"]
