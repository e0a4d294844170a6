"""How people sign in: who they are said to be (claims), for how long (sessions), and by whom (an OpenID provider)."""
