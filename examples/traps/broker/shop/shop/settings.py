from shop.sound import *

CELERY_BROKER_URL = "amqp://guest:guest@localhost:5672//"
