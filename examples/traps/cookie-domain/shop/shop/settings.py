from shop.sound import *

SESSION_COOKIE_DOMAIN = CSRF_COOKIE_DOMAIN = "shop.example.com"
