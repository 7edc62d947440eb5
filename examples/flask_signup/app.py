"""The application factory.

The environment may say otherwise than the defaults: `FLASK_SQLALCHEMY_DATABASE_URI`, `FLASK_SERVER_NAME`, and
`FLASK_BACKBURNER__mail` for the setting `mail` of backburner.
"""

from __future__ import annotations

from flask import Flask

from .extensions import backburner, db
from .pages import pages


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        SQLALCHEMY_DATABASE_URI="sqlite:///signup.db",
        SERVER_NAME="127.0.0.1:5000",
        BACKBURNER={"mail": "smtp://127.0.0.1:2525"},
    )
    app.config.from_prefixed_env()
    db.init_app(app)
    backburner.init_app(app)
    app.register_blueprint(pages)
    with app.app_context():
        db.create_all()
    return app
